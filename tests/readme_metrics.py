#!/usr/bin/env python3
"""README's metrics table says what the program exposes: readme_metrics.py [--write]

Compares the table between the markers with the daemon's own list (daemon/metrics/metric_table.cpp); --write renews it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- metrics: begin -->\n", "<!-- metrics: end -->\n"
ENTRY = re.compile(r'\{Metric::\w+,\s*"([a-z0-9_]+)",\s*(?:MetricKind::)?(\w+),\s*"([^"]*)",\s*((?:"[^"]*"\s*)+)\}')


def table():
    source = (ROOT / "daemon/metrics/metric_table.cpp").read_text()
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for name, kind, labels, text in ENTRY.findall(source):
        meaning = "".join(re.findall(r'"([^"]*)"', text))
        shown = ", ".join(f"`{label}`" for label in labels.split(",") if label)
        lines.append(f"| `{name}` | {kind} | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def main():
    readme = ROOT / "README.md"
    text = readme.read_text()
    head, rest = text.split(BEGIN)
    old, tail = rest.split(END)
    if "--write" in sys.argv:
        readme.write_text(head + BEGIN + table() + END + tail)
    elif old != table():
        print("README's metrics table is not the program's; run tests/readme_metrics.py --write")
        return 1
    print(f"{table().count(chr(10)) - 2} metrics")
    return 0 if table().count("\n") > 40 else 1


if __name__ == "__main__":
    sys.exit(main())
