#!/usr/bin/env python3
"""dashboards/METRICS.md lists what the program exposes, and everything else agrees with it: readme_metrics.py [--write]

The list is made from the golden pages, which unit tests compare with what the daemon writes; --write renews it, and the manual's list of
the gauges that the JSON API has too. Each metric that a source of daemon/metrics names must be on a golden page, and in a dashboard or a
rule. No other file may name a metric that is not in the list.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIST = ROOT / "dashboards" / "METRICS.md"
MANUAL = ROOT / "daemon" / "manual" / "share-drift-exporter.1"
MANUAL_GAUGES = re.compile(r"^\.BR .*(?=\nAs the metrics of these names\.$)", re.MULTILINE)
UPGRADES = ROOT / "systemd" / "README.md"
GOLDEN = [ROOT / "tests" / "data" / "golden" / f"{page}-text.prom" for page in ("images", "daemon")]
MENTION = re.compile(r"(?<![\w:])share_drift_[a-z0-9_]*[a-z0-9](?![a-z0-9_*])")
ROOMS = ("config", "daemon", "dashboards", "systemd", "tests")
SUFFIXES = {".md", ".py", ".yml", ".json", ".cpp", ".hpp", ".prom", ".1", ".5"}
HEAD = """\
# Metrics

`tests/readme_metrics.py --write` makes this list from the pages that the tests compare with the program's.

Counters of a configured image exist from the first second. The gauges that count accounts (shared, unexpected, missing, unlisted, unused)
appear with the first listing. Their 0 is withdrawn when the last complete listing is older than `stale_after`. Account ids appear only on
series of open drift and of exceptions, at most 200 of each metric. No sample has a timestamp.
"""


def program_metrics():
    """name: (kind, labels, help) of every metric, from the golden pages; images' metrics first, those of the process last."""
    entries = {}
    for path in GOLDEN:
        text = path.read_text()
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
        helps = dict(re.findall(r"^# HELP (\w+) (.*)$", text, re.MULTILINE))
        for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
            family = name if name in kinds else re.sub(r"_(bucket|sum|count)$", "", name)
            keys = [key for key in re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', labels) if key != "le"]
            entries[family] = (kinds[family], keys, helps[family])
    return dict(sorted(entries.items(), key=lambda entry: ("image_id" not in entry[1][1], entry[0].startswith("process_"))))


def written(metrics):
    """The text of METRICS.md."""
    out = HEAD
    for title, wanted in (("Of each image", True), ("Of the daemon", False)):
        out += f"\n## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
        for name, (kind, labels, meaning) in metrics.items():
            if ("image_id" in labels) == wanted:
                out += f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {meaning} |\n"
    return out


def written_manual():
    """The text of the manual: the JSON API has the json_gauges of the table, in its order."""
    gauges = re.findall(r'json_gauge<.*>\(\s*"share_drift_(\w+)"', (ROOT / "daemon" / "metrics" / "image_families.cpp").read_text())
    return MANUAL_GAUGES.sub(".BR " + ' ", " '.join(gauges), MANUAL.read_text())


def documented(root=ROOT):
    """name: (kind, labels, help) of every metric, from METRICS.md."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", (root / "dashboards" / "METRICS.md").read_text(), re.MULTILINE)
    return {name: (kind, re.findall(r"`(\w+)`", labels), meaning) for name, kind, labels, meaning in rows}


def base_name(name, metrics):
    """The family of a sample's name."""
    family = re.sub(r"_(bucket|sum|count)$", "", name)
    return family if metrics.get(family, ("",))[0] == "histogram" else name


def rule_faults(metrics):
    """The rules of the ecosystem for names and words."""
    families = [name.removesuffix("_total") for name in metrics]  # as OpenMetrics counts them
    for name, (kind, labels, meaning) in metrics.items():
        if (kind == "counter") != name.endswith("_total") or families.count(name.removesuffix("_total")) > 1:
            yield f"{name}: a counter ends in _total, nothing else does, and without it the name is unique"
        if kind == "counter" and "account_id" in labels:
            yield f"{name}: account ids are not for counters"
        if not meaning.endswith(".") or set(meaning) & set('\\"'):
            yield f"{name}: HELP is a sentence without anything that must be escaped: {meaning}"


def golden_faults(metrics):
    """The golden pages show every metric that the daemon's sources name, and no other."""
    named = {name for path in (ROOT / "daemon" / "metrics").glob("*.?pp")
             for name in re.findall(r'"((?:share_drift|process)_[a-z0-9_]+)"', path.read_text())}
    pages = ", ".join(path.name for path in GOLDEN)
    yield from (f"{name} is on no golden page ({pages})" for name in sorted(named - set(metrics)))
    yield from (f"{name} is on a golden page ({pages}), and no source names it" for name in sorted(set(metrics) - named))


def series_faults():
    """systemd/README.md says about how many series an ordinary image is: within a tenth."""
    image = re.findall(r'^\w+\{image_id="(m-[^"]+)"(.*)\} ', (ROOT / "tests/data/golden/images-text.prom").read_text(), re.MULTILINE)
    ordinary = sum(name == image[0][0] and "account_id" not in labels for name, labels in image)
    yield from (f"systemd/README.md says that an image is about {said} series; it is {ordinary}"
                for said in re.findall(r"An image is about (\d+) series", UPGRADES.read_text()) if abs(int(said) - ordinary) > ordinary / 10)


def former_names():
    """Names of an earlier version, which the chapter on upgrades gives in its first column."""
    chapter = UPGRADES.read_text().partition("\n### From ")[2].partition("\n## ")[0]
    return {name for cell in re.findall(r"^\| (.*?) \|", chapter, re.MULTILINE) for name in MENTION.findall(cell)}


def mention_faults(metrics):
    """No file speaks of a metric that there is not; dashboards and rules speak of every metric."""
    drawn, former = set(), former_names()
    yield from (f"systemd/README.md says that {name} is a name of before" for name in former & set(metrics))
    paths = [ROOT / "README.md", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*")))]
    for path in paths:
        if path.suffix not in SUFFIXES or path == pathlib.Path(__file__).resolve():
            continue
        file = path.relative_to(ROOT)
        for line, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
            names = {base_name(name, metrics) for name in MENTION.findall(text)}
            if path.suffix in (".json", ".yml") and "dashboards" in path.parts and "tests" not in path.parts:
                drawn |= names | {base_name(name, metrics) for name in re.findall(r"\bprocess_\w+", text)}
            yield from (f"{file}:{line}: there is no metric {name}" for name in sorted(names - set(metrics) - (former if path == UPGRADES else set()))
                        if path.suffix != ".prom" and name + "_total" not in metrics)
    yield from (f"{name} is in no dashboard and no rule" for name in metrics if name not in drawn)


def main():
    metrics = program_metrics()
    if "--write" in sys.argv:
        LIST.write_text(written(metrics))
        MANUAL.write_text(written_manual())
    faults = []
    if not LIST.exists() or LIST.read_text() != written(metrics):
        faults.append("dashboards/METRICS.md is not what the program exposes; run tests/readme_metrics.py --write")
    if MANUAL.read_text() != written_manual():
        faults.append("the manual does not list the gauges of the JSON API; run tests/readme_metrics.py --write")
    faults += [*rule_faults(metrics), *golden_faults(metrics), *series_faults(), *mention_faults(metrics)]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(metrics)} metrics")


if __name__ == "__main__":
    main()
