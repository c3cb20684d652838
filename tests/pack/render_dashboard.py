#!/usr/bin/env python3
"""Draws a dashboard from a Prometheus as a picture: render_dashboard.py URL UID OUT.png [--minutes N] [--image ID] [--height PX]

Not Grafana, but its JSON and its queries: the panels and values are those that a user will see. Headless Chromium takes the
picture; with OUT.html it is not needed.
"""
import argparse
import html
import pathlib
import re
import subprocess
import tempfile
import time

import boards as pack
import render_panels
from live_queries import ask

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIDTH, CELL, GAP = 1600, 38, 8
STYLE = """
* { box-sizing: border-box } body { margin: 0; background: #111217; color: #ccccdc; font: 13px "DejaVu Sans", sans-serif; width: %dpx }
header { padding: 14px 12px 10px; font-size: 17px; color: #fff } header small { color: #8e8e9c; font-size: 13px; margin-left: 14px }
.panel { position: absolute; background: #181b1f; border: 1px solid #25272c; border-radius: 3px; overflow: hidden; padding: 0 8px 6px }
.panel h2 { font-size: 13px; font-weight: 600; margin: 0; padding: 8px 2px 6px; color: #d5d5e0 } .row { position: absolute; font-size: 15px; color: #fff; padding: 8px 4px }
.stats { display: flex; gap: 4px; height: calc(100%% - 34px) } .stat { flex: 1; display: flex; align-items: center; justify-content: center; font-size: 34px; color: #fff; border-radius: 2px; font-weight: 600 }
.empty { height: 70%%; width: 100%%; display: flex; align-items: center; justify-content: center; color: #8e8e9c; font-size: 15px }
table { border-collapse: collapse; width: 100%%; font-size: 12.5px } th { text-align: left; color: #6e9fff; font-weight: 600; padding: 5px 8px; border-bottom: 1px solid #2c3036; white-space: nowrap }
td { padding: 5px 8px; border-bottom: 1px solid #22252b; white-space: nowrap } svg text { fill: #9a9aa8; font-size: 11px } .grid { stroke: #26292f }
.legend { font-size: 11.5px; white-space: nowrap; overflow: hidden } .legend span { margin-right: 14px } .legend i { display: inline-block; width: 12px; height: 4px; margin: 0 5px 3px 0; border-radius: 2px }
""" % WIDTH


def legend_of(target, metric):
    template = target.get("legendFormat", "")
    if template == "__auto":
        return ", ".join(f"{k}={v}" for k, v in metric.items() if k not in ("__name__", "job")) or target["expr"]
    return re.sub(r"\{\{ *(\w+) *\}\}", lambda m: metric.get(m.group(1), ""), template)


def merged_rows(results, several):
    """Grafana's merge: rows that agree in the columns which all queries have become one."""
    frames = [(ref, [({k: v for k, v in s["metric"].items() if k != "__name__"}, float(s["value"][1])) for s in series])
              for ref, series in results if series]
    shared = set.intersection(*({key for labels, _ in rows for key in labels} for _, rows in frames)) if frames else set()
    merged = {}
    for ref, rows in frames:
        column = "Value #" + ref if several else "Value"
        for labels, value in rows:
            same = merged.setdefault(tuple(labels.get(key, "") for key in sorted(shared)), [])
            row = next((r for r in same if column not in r), None)
            if row is None:
                same.append(row := {})
            row.update(labels)
            row[column] = value
    return [row for rows in merged.values() for row in rows]


def marks_of(url, board, image, start, end):
    """(time, color) of what the dashboard annotates: the first look that sees a change."""
    step = max(1, int((end - start) / 240))
    for note in board["annotations"]["list"]:
        if "expr" in note:
            text = pack.Query("", "annotation", note["expr"]).filled(image_id=image).replace("[3m]", f"[{2 * step + 2}s]")
            for one in ask(url, "query_range", query=text, start=start, end=end, step=step)["result"]:
                times = [float(t) for t, _ in one["values"]]
                yield from ((at, note["iconColor"]) for before, at in zip([0.0, *times], times) if at - before > 1.5 * step)


def draw_panel(url, panel, image, start, end, width, height, marks):
    queries = [pack.Query("", "panel", t["expr"], panel, t) for t in panel["targets"]]
    if panel["type"] in ("stat", "table"):
        results = [(q.target["refId"], ask(url, "query", query=q.filled(image_id=image), time=end)["result"]) for q in queries]
        if panel["type"] == "table":
            return render_panels.table(panel, merged_rows(results, len(queries) > 1))
        return '<div class="stats">' + render_panels.stat(panel, [
            (legend_of(q.target, s["metric"]), float(s["value"][1])) for q, (_, series) in zip(queries, results) for s in series]) + "</div>"
    step = max(1, int((end - start) / (24 if "interval" in panel else 240)))
    series = []
    for query in queries:
        text = query.filled(image_id=image, **({"__rate_interval": f"{step + 1}s"} if "interval" in panel else {}))
        found = ask(url, "query_range", query=text, start=start, end=end, step=step)["result"]
        series += sorted((legend_of(query.target, one["metric"]), [(float(t), float(v)) for t, v in one["values"] if v != "NaN"])
                         for one in found)
    draw = render_panels.timeseries if panel["type"] == "timeseries" else render_panels.state_timeline
    return draw(panel, series, start, end, width - 18, height - 34, marks)


def page(url, board, image, minutes):
    """The whole dashboard as HTML, and its height."""
    end = time.time()
    start = end - 60 * minutes
    unit = (WIDTH - GAP) / 24
    parts, bottom = [], 0
    marks = list(marks_of(url, board, image, start, end))
    for panel in board["panels"]:
        grid = panel["gridPos"]
        left, top = GAP + grid["x"] * unit, 50 + grid["y"] * CELL
        width, height = grid["w"] * unit - GAP, grid["h"] * CELL - GAP
        bottom = max(bottom, top + height)
        place = f'left:{left:.0f}px;top:{top}px;width:{width:.0f}px;height:{height}px'
        if panel["type"] == "row":
            parts.append(f'<div class="row" style="{place}">{html.escape(panel["title"])}</div>')
            continue
        body = draw_panel(url, panel, image, start, end, int(width), height, marks)
        parts.append(f'<div class="panel" style="{place}"><h2>{html.escape(panel["title"])}</h2>{body}</div>')
    what = image if board["uid"] == "share-drift-image" else "all exporters"
    head = f'<header>{html.escape(board["title"])}<small>{html.escape(what)} &middot; last {minutes:g} min, UTC</small></header>'
    return f'<!DOCTYPE html><meta charset="utf-8"><style>{STYLE}</style><body>{head}{"".join(parts)}</body>', int(bottom + 12)


def photograph(text, height, out):
    """A PNG of the page, taken by headless Chromium with a profile of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "page.html"
        source.write_text(text)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync",
                        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{height}",
                        f"--screenshot={out.resolve()}", source.as_uri()], check=True, capture_output=True, timeout=1200)


def render(url, uid, out, image="none", minutes=10.0, height=None):
    board = next(b for b in pack.load(ROOT).values() if b["uid"] == uid)
    text, full = page(url, board, image, minutes)
    if out.suffix == ".html":
        out.write_text(text)
    else:
        photograph(text, height or full, out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("uid")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--image", default="none")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--height", type=int)
    arguments = parser.parse_args()
    render(arguments.url.rstrip("/"), arguments.uid, arguments.out, arguments.image, arguments.minutes, arguments.height)


if __name__ == "__main__":
    main()
