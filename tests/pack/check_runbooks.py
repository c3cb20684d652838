#!/usr/bin/env python3
"""Ties alerts, annotations and runbooks together: check_runbooks.py SOURCE_DIR."""
import pathlib
import re
import sys

ANNOTATIONS = ["summary", "description", "certainty", "action", "runbook_url", "dashboard_url"]
DOCS_URL, GRAFANA_URL = "https://docs.example.com/share-drift", "https://grafana.example.com"
SECTIONS = ["What it means", "How sure it is", "Look closer", "End it", "False alarm?"]
COMMANDS = {"run", "check", "doctor", "lint", "baseline", "plan", "history"}


def alerts_of(root):
    """name: {annotation: text} of each alert, and the block of the rule."""
    text = (root / "dashboards" / "alerts" / "share-drift.rules.yml").read_text()
    for block in re.split(r"^      - alert: ", text, flags=re.MULTILINE)[1:]:
        name = block.split("\n", 1)[0]
        block = re.split(r"^(?:      [-#]|  - )", block, flags=re.MULTILINE)[0]
        found = re.findall(r"^          (\w+): (.*\n(?:            .*\n)*)", block[block.index("annotations:"):], re.MULTILINE)
        yield name, {key: " ".join(value.split()) for key, value in found}, block


def check_alert(name, annotations, block, uids):
    yield from (f"no {key}" for key in ANNOTATIONS if not annotations.get(key))
    if annotations.get("runbook_url") != f"{DOCS_URL}/runbooks/{name}.md":
        yield f"runbook_url is {annotations.get('runbook_url')}"
    if "{{" in annotations.get("summary", "{{"):
        yield "the summary must be the same for a whole group"
    if re.match(rf"{GRAFANA_URL}/d/([\w-]+)", annotations.get("dashboard_url", "")).group(1) not in uids:
        yield "dashboard_url names no dashboard"
    severity = re.search(r"severity: (.*)", block).group(1)
    if severity not in ("critical", "warning", "info", "none") and not re.search('"(critical|warning)"|critical', severity):
        yield f"severity {severity}"
    if "image_id" in block.split("annotations:")[0] and "group_left (image_name" in block.split("annotations:")[0]:
        if "$labels.image_id" not in annotations["description"] or "$labels.image_name" not in annotations["description"]:
            yield "the description does not name the image"
    if re.match("ShareDrift(Unexpected|Required)", name) and "account_name" not in annotations.get("accounts", ""):
        yield "does not list the accounts by name"
    if re.match("ShareDrift(Unexpected|Required)", name) and "aliyun ens ModifyImageSharePermission" not in annotations.get("calls", ""):
        yield "does not have the calls"


def check_runbook(name, text):
    if not text.startswith(f"# {name}\n"):
        yield "title"
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    if sections != SECTIONS:
        yield f"sections are {sections}"
    yield from (f"nothing under {head!r}" for head, body in re.findall(r"^## (.*)\n\n((?:(?!## ).*\n)*)", text, re.MULTILINE)
                if len(body.strip()) < 5)
    if "share-drift-exporter" not in text.split("## Look closer")[-1]:
        yield "no command to look closer"
    for command in re.findall(r"share-drift-exporter (?=[a-z])(\w+)", text):
        if command not in COMMANDS and command not in ("and",):
            yield f"share-drift-exporter has no command {command}"


def main():
    root = pathlib.Path(sys.argv[1])
    books = {path.stem: path.read_text() for path in (root / "dashboards" / "runbooks").glob("*.md")}
    index = books.pop("README")
    uids = {path.stem for path in (root / "dashboards" / "grafana").glob("*.json")}
    names, faults, summaries = set(), [], []
    for name, annotations, block in alerts_of(root):
        names.add(name)
        summaries.append(annotations.get("summary"))
        faults += [f"{name}: {fault}" for fault in check_alert(name, annotations, block, uids)]
        faults += [f"runbooks/{name}.md: {fault}" for fault in check_runbook(name, books.get(name, ""))]
        if f"({name}.md)" not in index:
            faults.append(f"runbooks/README.md does not list {name}")
    faults += [f"runbooks/{name}.md: no such alert" for name in set(books) - names]
    faults += [f"summary twice: {s}" for s in set(summaries) if summaries.count(s) > 1]
    for file, text in {**books, "README": index}.items():
        faults += [f"runbooks/{file}.md: link to {target}" for target in re.findall(r"\]\(([\w-]+)\.md\)", text) if target not in names]
        faults += [f"runbooks/{file}.md: {alert} is no alert" for alert in re.findall(r"\b(ShareDrift[A-Z]\w+)\b", text) if alert not in names]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(names)} alerts with their runbooks")


if __name__ == "__main__":
    main()
