#!/usr/bin/env python3
"""Every test must exist that PROOF.md's promises and the guide's twins name: `Suite.Name`, `Suite.*`, `label.name`, `tests/a/file`.

Every link of a paper must lead somewhere.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = ("config", "daemon", "dashboards", "systemd", "tests")


def table(file, title):
    """The rows of the chapter's tables, without their heads."""
    chapter = re.search(rf"^## {title}\n(.*?)^## ", file.read_text(), re.M | re.S)[1]
    rows = [line for line in chapter.splitlines() if line.startswith("| ")]
    return [row for row in rows if not re.fullmatch(r"\| (promise|fast|from where|fault) .*", row)]


def dead_links():
    """Links of the papers, and files that they name in backticks, which lead nowhere."""
    for paper in [ROOT / "README.md", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.md")))]:
        text = paper.read_text()
        links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
        named = re.findall(rf"`((?:\.\./)*(?:{'|'.join(ROOMS)})/[\w./-]*[\w/])`", text)
        for path in links + [name for name in named if "ROOM" not in name]:
            if not (paper.parent / path).exists() and not (ROOT / path).exists():
                yield f"{paper.relative_to(ROOT)} leads to {path}, which is not there"


def main():
    tables = (("PROOF.md", "What holds it to its word"), ("PROOF.md", "Security"), ("README.md", "Fast paths and their twins"))
    rows = [row for file, title in tables
            for row in table(ROOT / "daemon" / file, title)]
    written = {f"{suite}.{name}" for path in (ROOT / "tests").rglob("*_test.cpp")
               for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(), re.M)}
    suites = {name.split(".")[0] for name in written}
    missing, named = [], 0
    for word in re.findall(r"`([^`]+)`", "\n".join(row.split("|")[-2] for row in rows)):
        path = re.fullmatch(r"(tests/[\w./-]+)( \d+)?", word)
        test = re.fullmatch(r"(\w+)\.(\w+|\*)", word)
        if path:
            there = (ROOT / path[1]).exists()
        elif test and test[1] in suites:
            there = test[2] == "*" or word in written
        elif test:
            lists = ROOT / "tests" / test[1] / "CMakeLists.txt"
            there = lists.exists() and (test[2] == "*" or re.search(rf"\b{test[2]}\b", lists.read_text()))
        else:
            continue
        named += 1
        if not there:
            missing.append(word)
    for word in missing:
        print(f"daemon/PROOF.md or daemon/README.md names {word}, which is not there")
    dead = list(dead_links())
    print("\n".join([*dead, f"{len(rows)} promises and twins name {named} tests"]))
    return 1 if missing or dead or named < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
