"""Reads the dashboards, the rules and the list of metrics; used by the checks of the pack."""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from readme_metrics import base_name, documented  # noqa: E402, F401

DASHBOARD_VARIABLES = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
# What Grafana would put in, for queries that are run without it.
BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h"}
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
KEYWORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"}


class Query:
    """One expression: where it stands, what Grafana calls it, and the panel it feeds, if any."""

    def __init__(self, where, kind, text, panel=None, target=None):
        self.where, self.kind, self.text, self.panel, self.target = where, kind, text, panel, target

    def filled(self, **variables):
        """The expression with every variable replaced."""
        values = {**BUILT_IN, "job": ".+", "instance": ".+", "team": ".*", **variables}
        return DASHBOARD_VARIABLES.sub(lambda m: values[m.group(1) or m.group(2)], self.text)

    def selectors(self):
        """(metric, matchers or None) of each series that the expression reads."""
        return selectors(self.text)


def selectors(text):
    """The series selectors of an expression. Label lists after by, on and their kin are not metrics."""
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)", " ", STRINGS.sub(lambda m: m.group(0).replace("(", " "), text))
    found = []
    outside = re.sub(r"\{[^}]*\}|" + STRINGS.pattern, lambda m: " " * len(m.group(0)), bare)
    for name in re.finditer(r"[a-zA-Z_:][\w:]*", outside):
        after = bare[name.end():].lstrip()
        if name.group(0) in KEYWORDS or after.startswith("(") or re.match(r"[\d\[$]", bare[name.start() - 1:name.start()] or " "):
            continue
        matchers = re.match(r"\{([^}]*)\}", after)
        found.append((name.group(0), matchers.group(1) if matchers else None))
    return found


def load(root):
    return {path.name: json.loads(path.read_text()) for path in sorted((root / "dashboards" / "grafana").glob("*.json"))}


def queries(boards):
    """Every expression of every dashboard: panels, variables, annotations."""
    for file, board in boards.items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield Query(f"{file}: {panel['title']} {target['refId']}", "panel", target["expr"], panel, target)
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                inner = re.fullmatch(r"label_values\((.*), *(\w+)\)|query_result\((.*)\)", variable["query"]["query"])
                yield Query(f"{file}: variable {variable['name']}", "variable", inner.group(1) or inner.group(3), None, inner.group(2))
        for annotation in board["annotations"]["list"]:
            if "expr" in annotation:
                yield Query(f"{file}: annotation {annotation['name']}", "annotation", annotation["expr"])


def rule_expressions(root):
    """(name, expression) of every rule, and (name, expression) of every query in their annotations."""
    rules, inner = [], []
    for path in sorted((root / "dashboards" / "alerts").glob("*.yml")):
        for block in re.split(r"^      - ", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r"(?:alert|record): (\S+)", block).group(1)
            expression = re.search(r"^ +expr: (\|\n(?:          .*\n)+|.*\n)", block, re.MULTILINE).group(1)
            rules.append((name, re.sub(r"^ *#.*\n", "", expression.removeprefix("|"), flags=re.MULTILINE).strip()))
            for call in re.findall(r'query \(printf "((?:[^"\\]|\\.)*)"', block):
                inner.append((name, call.replace('\\"', '"').replace("%.0f", "300").replace("%q", '".+"').replace("=\".+\"", "=~\".+\"")))
    return rules, inner
