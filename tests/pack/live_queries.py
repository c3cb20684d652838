#!/usr/bin/env python3
"""Runs every query of the pack against a Prometheus: live_queries.py URL [--image ID] [--must TITLE]...

Panels, variables, annotations, rules, and the queries inside the annotations of rules. No query may fail. A panel whose
text for no data is "no data" or "not known" must show something, and so must panels and annotations named by --must; legends
must name labels that the result has. With --blind, panels that say "not known" may: zeros that grew old were withdrawn.
"""
import argparse
import json
import pathlib
import re
import sys
import time
import urllib.parse

import boards as pack

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import fetch  # noqa: E402

MUST_SHOW = {"no data", "not known"}


def ask(url, path, **parameters):
    """The result of an API call; raises ValueError with Prometheus' words if there is an error or a warning."""
    status, _, body = fetch(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=1200)
    answer = json.loads(body)
    if status != 200 or answer["status"] != "success" or answer.get("warnings"):
        raise ValueError(answer.get("error") or answer.get("warnings") or status)
    return answer["data"]


def first_image(url):
    found = ask(url, "query", query="share_drift_image_info")["result"]
    return found[0]["metric"]["image_id"] if found else "none"


def run_query(url, query, image):
    """The series of one query, as Grafana would ask for them."""
    text = query.filled(image_id=image)
    if query.kind == "variable":
        return [{"metric": {query.target: v}} for v in ask(url, f"label/{query.target}/values", **{"match[]": text})]
    if query.target and query.target.get("instant"):
        return ask(url, "query", query=text)["result"]
    now = time.time()
    return ask(url, "query_range", query=text, start=now - 300, end=now, step=5)["result"]


def check_legend(query, series):
    for label in re.findall(r"\{\{ *(\w+) *\}\}", query.target.get("legendFormat", "") if query.panel else ""):
        if label not in ("image_name",) and any(label not in s["metric"] for s in series):  # names may be empty
            yield f"the legend's {label} is not in the result"


def run_all(url, image=None, must=(), blind=False):
    """The faults of all queries, and how many ran."""
    faults, shown, ran = [], {}, 0
    boards = pack.load(ROOT)
    image = image or first_image(url)
    for query in pack.queries(boards):
        ran += 1
        try:
            series = run_query(url, query, image)
        except (ValueError, OSError) as error:
            faults.append(f"{query.where}: {error}")
            continue
        if query.kind != "variable":
            title = query.panel["title"] if query.panel else query.where.split(": annotation ")[1]
            shown[title] = shown.get(title, False) or bool(series)
        if query.panel:
            faults += [f"{query.where}: {fault}" for fault in check_legend(query, series)]
        elif query.kind == "variable" and not series:
            faults.append(f"{query.where}: no values")
    faults += [f"{title} is empty" for title in must if not shown.get(title)]
    for board in boards.values():
        for panel in board["panels"]:
            no_value = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue")
            if no_value in MUST_SHOW - ({"not known"} if blind else set()) and not shown[panel["title"]]:
                faults.append(f"{board['uid']}: {panel['title']} is empty")
    for name, expression in [pair for pairs in pack.rule_expressions(ROOT) for pair in pairs]:
        ran += 1
        try:
            ask(url, "query", query=expression)
        except (ValueError, OSError) as error:
            faults.append(f"rule {name}: {error}")
    health = ask(url, "rules")["groups"]
    faults += [f"rule {rule['name']} is {rule['health']}: {rule.get('lastError')}" for group in health for rule in group["rules"]
               if rule["health"] == "err"]
    return faults, ran


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--image")
    parser.add_argument("--must", action="append", default=[])
    parser.add_argument("--blind", action="store_true")
    arguments = parser.parse_args()
    faults, ran = run_all(arguments.url.rstrip("/"), arguments.image, arguments.must, arguments.blind)
    if faults:
        sys.exit("\n".join(faults))
    print(f"{ran} queries ran")


if __name__ == "__main__":
    main()
