#!/usr/bin/env python3
"""The alerts and recording rules as one object of the Prometheus operator: prometheus_rule.py SOURCE [--write]

Without --write it compares, and fails where the object is not that of the rules.
"""
import pathlib
import sys

RULES = ("dashboards/alerts/share-drift.recording.yml", "dashboards/alerts/share-drift.rules.yml")
OBJECT = "config/kubernetes/monitoring/prometheusrule.yaml"
HEAD = """\
# Written by tests/pack/prometheus_rule.py --write from dashboards/alerts: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: share-drift
  labels:
    app.kubernetes.io/name: share-drift-exporter
spec:
  groups:
"""


def rendered(source):
    text = HEAD
    for name in RULES:
        before, groups, rules = (source / name).read_text().partition("groups:\n")
        if not groups or any(line and not line.startswith("#") for line in before.splitlines()):
            sys.exit(f"{name} does not begin with its groups")
        text += "".join(f"  {line}\n" if line else "\n" for line in [*before.splitlines(), *rules.splitlines()])
    return text


def main():
    source = pathlib.Path(sys.argv[1])
    if "--write" in sys.argv:
        (source / OBJECT).write_text(rendered(source))
    elif (source / OBJECT).read_text() != rendered(source):
        sys.exit(f"{OBJECT} is not what the rules are: tests/pack/prometheus_rule.py . --write")


if __name__ == "__main__":
    main()
