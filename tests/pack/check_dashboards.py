#!/usr/bin/env python3
"""Lints the dashboards and ties them to rules and metrics: check_dashboards.py SOURCE_DIR.

The rules of Grafana's dashboard-linter, stricter where that is blind: counters with matchers, increase(), grids, ids,
undeclared variables, links to nowhere; and metrics used = metrics that the daemon has.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import boards as pack

UNITS = {"short", "s", "bytes", "percentunit", "reqps", "ops", "dateTimeAsIso", "dateTimeFromNow", "suffix: intervals"}
KINDS = {"stat", "table", "timeseries", "state-timeline"}
BOTH = ('job=~"$job"', 'instance=~"$instance"')
FOREIGN = {"ALERTS", "up"}  # Prometheus' own
DOCS_URL = "https://docs.example.com/share-drift"


def check_board(board):
    wanted = {"id": None, "editable": False, "timezone": "browser", "graphTooltip": 1, "refresh": "1m"}
    yield from (f"{key} is {board.get(key)!r}, not {value!r}" for key, value in wanted.items() if board.get(key) != value)
    if not 36 <= board["schemaVersion"] <= 39:
        yield "schemaVersion is not one of Grafana 9 to 11"
    if not re.fullmatch(r"[a-z-]{1,40}", board["uid"]) or "share-drift" not in board["tags"] or " / " not in board["title"]:
        yield "uid, tags or title are off"
    yield from (f"has {key}, which provisioning does not resolve" for key in ("__inputs", "__requires") if key in board)
    links = {link["type"]: link for link in board["links"]}
    if links.get("dashboards", {}).get("tags") != ["share-drift"] or not links.get("link", {}).get("url", "").startswith("${docs_url}/runbooks/"):
        yield "links to the siblings or the runbooks are missing"


def check_variables(board):
    variables = {v["name"]: v for v in board["templating"]["list"]}
    source = variables.get("datasource", {})
    if (source.get("type"), source.get("query"), source.get("label")) != ("datasource", "prometheus", "Data source"):
        yield "no datasource variable"
    for name in ("job", "instance"):
        v = variables.get(name, {})
        if not (v.get("label") == name and v.get("multi") and v.get("includeAll") and v.get("allValue") == ".+"):
            yield f"variable {name} must be labelled so, multi, with all = .+"
    for name, v in variables.items():
        if v["type"] == "query":
            if v.get("refresh") != 2:
                yield f"variable {name} is not refreshed with the time range"
            if v.get("datasource", {}).get("uid") != "${datasource}":
                yield f"variable {name} does not use $datasource"
            if name not in ("job",) and 'job=~"$job"' not in v["query"]["query"]:
                yield f"variable {name} does not follow job"
            if v["query"]["query"] != v["definition"]:
                yield f"variable {name}: query and definition differ"
    if variables.get("docs_url", {}).get("query") != DOCS_URL:
        yield "docs_url is not the one placeholder that the README tells how to replace"
    texts = repr([board["panels"], board["annotations"], board["links"], [v.get("query") for v in variables.values()]])
    used = {a or b for a, b in pack.DASHBOARD_VARIABLES.findall(texts)} - {"datasource"}
    used = {u for u in used if not u.startswith("__")}
    yield from (f"${name} is not declared" for name in used - set(variables))
    yield from (f"variable {name} is not used" for name in set(variables) - used - {"datasource"})


def check_grid(panels):
    taken = {}
    for panel in panels:
        grid = panel["gridPos"]
        if grid["w"] < 1 or grid["h"] < 1 or grid["x"] < 0 or grid["x"] + grid["w"] > 24:
            yield f"{panel['title']}: outside of the grid"
        for cell in ((x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])):
            if cell in taken:
                yield f"{panel['title']} covers {taken[cell]}"
                break
            taken[cell] = panel["title"]


def check_panel(panel):
    if panel["type"] == "row":
        return
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] not in KINDS:
        yield f"kind {panel['type']}"
    if len(panel["description"]) < 20:
        yield "no description"
    units = [defaults.get("unit")] + [p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "unit"]
    yield from (f"unit {unit!r}" for unit in units if unit not in UNITS)
    if not defaults.get("noValue"):
        yield "no text for no data"
    steps = defaults["thresholds"]["steps"]
    values = [s["value"] for s in steps]
    if values[:1] != [None] or values[1:] != sorted(values[1:]):
        yield "thresholds are not in order"
    targets = panel.get("targets", [])
    if not targets or len({t["refId"] for t in targets}) != len(targets):
        yield "no targets, or two of a name"
    if any(d.get("uid") != "${datasource}" for d in [panel["datasource"], *(t["datasource"] for t in targets)]):
        yield "does not use $datasource"
    instant = panel["type"] in ("stat", "table")
    if any(t["instant"] != instant or t["range"] == instant or t["format"] != ("table" if panel["type"] == "table" else "time_series")
           for t in targets):
        yield "queries of the wrong kind for the panel"
    if panel["type"] == "table":
        renamed = next(t["options"]["renameByName"] for t in panel["transformations"] if t["id"] == "organize")
        yield from (f"override of {o['matcher']['options']}, which is no column" for o in panel["fieldConfig"]["overrides"]
                    if o["matcher"]["options"] not in renamed.values())
    else:
        legends = [re.sub(r"\\\{\\\{.*?\\\}\\\}", ".+", re.escape(t["legendFormat"])) for t in targets]
        yield from (f"override of {o['matcher']['options']}, which no legend says" for o in panel["fieldConfig"]["overrides"]
                    if not any(re.fullmatch(legend, o["matcher"]["options"]) for legend in legends))
    if len(targets) > 1 and panel["type"] in ("timeseries", "state-timeline") and any(t["legendFormat"] == "__auto" for t in targets):
        yield "several queries and no legend"


def check_query(query, metrics):
    text = query.text
    if query.kind == "annotation":  # asked once a minute: what changes between two looks must be in one of them
        yield from (f"looks back {window} only" for window in re.findall(r"\[([^\]]+)\]", text) if window != "3m")
    else:
        for function, window in re.findall(r"\b(rate|irate|increase|delta|changes|\w+_over_time)\((?:[^()\[]|\{[^}]*\})*\[([^\]]+)\]", text):
            if window not in ("$__rate_interval", "$__range"):
                yield f"{function} over a fixed {window}"
        if re.search(r"\b(i?rate|increase)\([^\[]*\[\$__(range|interval)\]", text):
            yield "rate needs $__rate_interval"
    for name, matchers in query.selectors():
        if name in FOREIGN and name != "up":
            continue
        joined = matchers is None and re.search(r"\bignoring \(version, revision\) " + re.escape(name), text)
        first = query.where.endswith("variable job")
        if not joined and not first:
            yield from (f"{name} lacks {matcher}" for matcher in BOTH if matcher not in (matchers or "")
                        and not (query.where.endswith("variable instance") and matcher == BOTH[1]))
        if name.startswith("process_") and "share_drift_build_info" not in text:
            yield f"{name} of every job would match"
        kind = metrics.get(pack.base_name(name, metrics), ("",))[0]
        if kind in ("counter", "histogram") and not re.search(r"\b(rate|increase|irate)\(" + re.escape(name) + r"\{[^}]*\}\[", text):
            yield f"counter {name} without rate"


def parse_all(queries):
    """promtool must be able to parse every expression."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("groups:\n  - name: all\n    rules:\n")
        for i, query in enumerate(queries):
            text = query.filled(image_id="m-1").replace("'", "''")
            file.write(f"      - record: query:{i}\n        expr: '{text}'\n")
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, timeout=1200)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def check_names(root, queries, metrics):
    """Metrics used = metrics that the daemon has; recorded names exist; matchers and labels are real."""
    rules, inner = pack.rule_expressions(root)
    recorded = {name for name, _ in rules if ":" in name}
    for where, found in [*((q.where, q.selectors()) for q in queries), *((n, pack.selectors(e)) for n, e in rules + inner)]:
        for name, matchers in found:
            if name in FOREIGN or name in recorded:
                continue
            family = pack.base_name(name, metrics)
            if family not in metrics:
                yield f"{where}: the daemon has no {name}"
                continue
            known = {*metrics[family][1], "cluster", "namespace", "job", "instance", "le"}
            yield from (f"{where}: {name} has no label {label}" for label in re.findall(r"(\w+) *(?:=~|!~|!=|=)", matchers or "")
                        if label not in known)
    read = {name for q in queries for name, _ in q.selectors()} | {name for _, e in rules + inner for name, _ in pack.selectors(e)}
    yield from (f"{name} is recorded for nobody" for name in recorded - read)


def main():
    root = pathlib.Path(sys.argv[1])
    loaded = pack.load(root)
    metrics = pack.documented(root)
    queries = list(pack.queries(loaded))
    faults = []
    for file, board in loaded.items():
        faults += [f"{file}: {fault}" for check in (check_board, check_variables) for fault in check(board)]
        faults += [f"{file}: {fault}" for fault in check_grid(board["panels"])]
        faults += [f"{file}: {panel['title']}: {fault}" for panel in board["panels"] for fault in check_panel(panel)]
        for what, values in (("panel id", [p["id"] for p in board["panels"]]), ("title", [p["title"] for p in board["panels"]])):
            faults += [f"{file}: {what} {value} twice" for value in set(values) if values.count(value) > 1]
        for uid in re.findall(r"/d/([\w-]+)", repr(board)):
            if uid not in {b["uid"] for b in loaded.values()}:
                faults.append(f"{file}: links to {uid}, which is no dashboard")
    faults += [f"{query.where}: {fault}" for query in queries for fault in check_query(query, metrics)]
    faults += parse_all(queries) + list(check_names(root, queries, metrics))
    if len(loaded) != 3 or len({b["uid"] for b in loaded.values()}) != 3:
        faults.append("there are three dashboards, each with a uid of its own")
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(loaded)} dashboards, {len(queries)} queries, {len(metrics)} metrics")


if __name__ == "__main__":
    main()
