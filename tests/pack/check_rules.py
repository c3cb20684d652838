#!/usr/bin/env python3
"""Checks the alert rules and their tests: check_rules.py SOURCE_DIR.

promtool must take the rules and pass their tests; each alert must be tested in every phase; the tests must pass as well where two
clusters have exporters, images and troubles of the same names; and the tests must be able to fail: with an alert that never fires,
or always, in place of each one, promtool must object.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PHASES = ["quiet|no news|without firing", "fires", "missed scrape|scrape that fails", "restart", "resolves"]
ALWAYS_FIRING = "ShareDriftWatchdog"  # it has no quiet phase and no end
RULE = re.compile(r"^      - alert: (\w+)\n        expr: (\|\n(?:          .*\n)+|.*\n)", re.MULTILINE)

NOT_FOR_MUTANTS = re.compile(r"^      - record: .*\n(?:        .*\n)+|^        annotations:\n(?:          .*\n)+", re.MULTILINE)
ALERT_TEST = re.compile(r"^    alert_rule_test:\n(?:      .*\n|\n(?=      ))*", re.MULTILINE)


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=1200)


def tests_of(alerts_dir):
    """The text of all test groups of each alert."""
    groups = {}
    for path in sorted((alerts_dir / "tests").glob("*.test.yml")):
        for block in re.split(r"^  - name: ", path.read_text(), flags=re.MULTILINE)[1:]:
            alert = re.match(r"'(\w+)", block).group(1)
            groups.setdefault(alert, []).append((path, block))
    return groups


def check_phases(alerts, groups):
    faults = [f"{alert}: tested but not a rule" for alert in groups if alert not in alerts]
    for alert in alerts:
        text = "\n".join(block for _, block in groups.get(alert, []))
        if "alert_rule_test:" not in text:
            faults.append(f"{alert}: no test of its labels and annotations")
        comments = "\n".join(re.findall(r"^ +# (.*)$", text, re.MULTILINE))
        for phase in PHASES:
            if alert == ALWAYS_FIRING and phase[:5] in ("quiet", "resol"):
                continue
            if not re.search(phase, comments):
                faults.append(f"{alert}: no test that says {phase!r}")
    return faults


# Of the whole Prometheus, not of an exporter.
OF_NO_EXPORTER = re.compile(r"^  - name: '(?:ShareDriftWatchdog|ShareDriftExporterAbsent)'\n(?:(?!  - name).*\n)*", re.MULTILINE)


def with_two_clusters(text):
    """The tests with every series twice, in two clusters, and twice what they expect."""
    def twice(pattern, text):
        return re.sub(pattern, lambda match: "".join(match[0].replace(match[1], f"{match[1]}{label}", 1) for label in labels), text,
                      flags=re.MULTILINE)
    text = OF_NO_EXPORTER.sub("", text)
    labels = ['cluster="east",namespace="blue",', 'cluster="west",namespace="green",']
    text = twice(r"^      - (series: '\w+\{).*\n.*\n", text)
    text = re.sub(r"(?<=expr: count\(ALERTS\{)", labels[1], text)
    labels = ["cluster: 'east', namespace: 'blue', ", "cluster: 'west', namespace: 'green', "]
    return twice(r"^          - (exp_labels: \{).*\n(?:            .*\n)*", text)


def check_two_clusters(alerts_dir, rules_text):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        (copy / "tests").mkdir()
        (copy / "share-drift.rules.yml").write_text(rules_text)
        for path in (alerts_dir / "tests").glob("*.test.yml"):
            (copy / "tests" / path.name).write_text(with_two_clusters(path.read_text()))
        result = promtool("test", "rules", *sorted((copy / "tests").glob("*.test.yml")))
        return [] if result.returncode == 0 else ["with two clusters: " + result.stdout + result.stderr]


def check_mutants(alerts_dir, rules_text, groups):
    """In a copy, puts an expression that never fires, then one that always does, in place of every alert's own.

    Only what the tests say about firing is kept, so that an alert's labels or texts cannot give the mutant away; the alerts
    go without their texts, and what is recorded goes, since the mutants do not read it and it costs time.
    """
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        (copy / "tests").mkdir()
        for path in (alerts_dir / "tests").glob("*.test.yml"):
            (copy / "tests" / path.name).write_text(ALERT_TEST.sub("", path.read_text()))
        for mutant in ("vector(0) > 1", "vector(1)"):
            rules = NOT_FOR_MUTANTS.sub("", RULE.sub(lambda match: match.group(0).replace(match.group(2), mutant + "\n"), rules_text))
            (copy / "share-drift.rules.yml").write_text(rules)
            result = promtool("test", "rules", *sorted((copy / "tests").glob("*.test.yml")))
            failed = set(re.findall(r'alertname=\\"(\w+)\\"', result.stdout + result.stderr))
            if "could not parse" in result.stdout + result.stderr:
                faults.append(result.stdout + result.stderr)
            faults += [f"{alert}: its tests pass with `{mutant}` as well" for alert in groups
                       if alert not in failed and (alert, mutant) != (ALWAYS_FIRING, "vector(1)")]
    return faults


def main():
    alerts_dir = pathlib.Path(sys.argv[1]) / "dashboards" / "alerts"
    rule_files = sorted(alerts_dir.glob("*.yml"))
    for result in (promtool("check", "rules", "--lint=all", "--lint-fatal", *rule_files),
                   promtool("test", "rules", *sorted((alerts_dir / "tests").glob("*.test.yml")))):
        if result.returncode != 0:
            sys.exit(result.stdout + result.stderr)
    rules_text = (alerts_dir / "share-drift.rules.yml").read_text()
    alerts = re.findall(r"^      - alert: (\w+)$", rules_text, re.MULTILINE)
    groups = tests_of(alerts_dir)
    faults = check_phases(alerts, groups)
    if len(RULE.findall(rules_text)) != len(alerts):
        faults.append("share-drift.rules.yml: an alert is not laid out as this check reads it")
    faults += check_two_clusters(alerts_dir, rules_text)
    faults += check_mutants(alerts_dir, rules_text, groups)
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(alerts)} alerts, each tested in every phase")


if __name__ == "__main__":
    main()
