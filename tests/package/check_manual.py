#!/usr/bin/env python3
"""The manual, the help and the shell completion say what the program does: check_manual.py SOURCE [BIN]

Flags, types and defaults of the manual pages are compared with --help, keys, choices, ranges and defaults with the JSON Schema
of the configuration, and bash is asked what it would complete. Without BIN only what the sources say is compared.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE, BIN = pathlib.Path(sys.argv[1]), pathlib.Path([*sys.argv, ""][2])
MANUAL = SOURCE / "daemon/manual"
SIMULATOR_PAGE = SOURCE / "tests/simulator/ens-simulator.1"
PROGRAM = "share-drift-exporter"
COMMANDS = ["run", "check", "doctor", "lint", "baseline", "plan", "history"]
faults = []


def expect(condition, what):
    if not condition:
        faults.append(what)


def same(what, one, other):
    expect(one == other, f"{what}: only in the first {sorted(set(one) - set(other))}, "
                         f"only in the second {sorted(set(other) - set(one))}")


def help_of(*words):
    return subprocess.run([BIN / PROGRAM, *words, "--help"], capture_output=True, text=True, check=True, timeout=600).stdout


def flags_of(text):
    """{flag: (type or "", default or "")} of a --help."""
    flags = {}
    for line in text.splitlines():
        found = re.match(r"  (?:-\w,)?(--[a-z.-]+)(?: (\S+))?  +(.*)$", line)
        if found:
            default = re.search(r" \((?!default:|as )([^()]*)\)$", found[3])
            flags[found[1]] = (found[2] or "", default[1] if default else "")
    return flags


def plain(roff):
    return re.sub(r"\\f[A-Z]", "", roff.replace("\\-", "-"))


def entries(section):
    """{word: paragraph} of the .TP entries of a piece of roff; an entry may name several words."""
    found = {}
    for entry in re.split(r"^\.TP\n", section, flags=re.M)[1:]:
        tag, _, body = entry.partition("\n")
        words = re.sub(r'^\.[A-Z]+ ?|"', " ", plain(tag))
        for word in re.split(r"[\s,]+", words.strip()):
            found[word] = (words.split(), plain(body))
    return found


def sections(page):
    parts = re.split(r"^\.SH (.*)\n", page.read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def check_help():
    text = help_of()
    expect(text.count("\n") < 32, f"--help has {text.count(chr(10))} lines")
    for command in COMMANDS:
        expect(re.search(rf"^(  |.* {{2,}}){command} ", text, re.M), f"--help does not name {command}")
        for line in (text + help_of(command)).splitlines():
            expect(len(line) <= 80, f"{command} --help: wider than 80 columns: {line}")


def check_flags():
    offered = flags_of(help_of())
    for command in COMMANDS:
        offered.update(flags_of(help_of(command)))
    same("flags of run, with and without its name", set(flags_of(help_of())) - {"--version"}, set(flags_of(help_of("run"))))
    page = sections(MANUAL / f"{PROGRAM}.1")
    told = {}
    for title, section in page.items():
        if title.startswith("FLAGS"):
            told.update(entries(section))
    same("flags of --help and of the manual", set(offered), {word for word in told if word.startswith("--")})
    for flag, (kind, default) in offered.items():
        words, body = told.get(flag, ([], ""))
        expect(not kind or kind in words, f"{flag}: the manual does not give its type {kind}")
        expect(not default or re.search(rf"Default:\s+(\.IR? )?{re.escape(default)}\s?\.$", body, re.M),
               f"{flag}: the manual does not give its default {default}")
    same("commands", set(COMMANDS), set(entries(page["COMMANDS"])) & set(COMMANDS))
    expect(set(entries(page["COMMANDS"])) <= {*COMMANDS, "[IMAGE]"}, "the manual has commands of its own")


def check_simulator():
    text = subprocess.run([BIN / "ens-simulator", "--help"], capture_output=True, text=True, check=True, timeout=600).stdout
    offered = set(re.findall(r"^  (?:-h,)?(--[a-z-]+)", text, re.M))
    told = {word for word in entries(sections(SIMULATOR_PAGE)["FLAGS"]) if word.startswith("--")}
    same("flags of the simulator and of its manual", offered, told)
    entry = entries(sections(SIMULATOR_PAGE)["FLAGS"])
    for flag, default in re.findall(r"^  (--[a-z-]+) \w[^=\n]*=(\S+)", text, re.M):
        expect(f"Default: {default}." in entry[flag][1], f"{flag}: the simulator's manual does not give its default {default}")


def check_words():
    """What the program has in closed lists: states, verdicts, paths."""
    page = sections(MANUAL / f"{PROGRAM}.1")
    for title, type_name, file in (("IMAGE STATES", "ImageState", "core/failure.hpp"), ("VERDICTS", "Verdict", "core/verdict.hpp")):
        spelt = re.search(rf"^enum class {type_name} \{{(.*?)\}}", (SOURCE / "daemon" / file).read_text(), re.M | re.S)[1]
        same(title, set(re.findall(r"\w+", re.sub("//.*", "", spelt))), set(entries(page[title])))
    paths = re.search(r"kHttpPaths = .*?\{(.*?)\}", (SOURCE / "daemon/metrics/self_metrics.hpp").read_text(), re.S)[1]
    told = {word.partition("?")[0] for word in entries(page["HTTP"])}
    same("paths", set(re.findall(r'"(/[^"]*)"', paths)), told)


def check_exits():
    """The codes of each command: the manual, the help, and the table of systemd/README.md."""
    told = {word: body for word, (_, body) in entries(sections(MANUAL / f"{PROGRAM}.1")["EXIT STATUS"].partition(".PP")[0]).items()}
    rows = re.findall(r"^\| `(\w+)[^|]*\|.*\| ([^|]*) \|$", (SOURCE / "systemd/README.md").read_text(), re.M)
    table = dict(row for row in rows if row[0] in COMMANDS)
    same("commands with exit codes", set(COMMANDS), set(told))
    same("commands in systemd/README.md", set(COMMANDS), set(table))
    codes = {command: set(re.findall(r"\b\d+\b", body)) for command, body in told.items()}
    for command in COMMANDS:
        again = codes["check"] if table[command] == "as `check`" else set(re.findall(r"\b\d+\b", table[command]))
        same(f"exit codes of {command}, in the manual and in systemd/README.md", codes[command], again)
        said = re.search(r"Exit: (.*)\.$", help_of(command), re.M)
        expect(not said or set(re.findall(r"\b\d+\b", said[1])) == codes[command], f"exit codes of {command} --help: {said and said[1]}")


def check_paths():
    """What the manual pages send a reader to is installed."""
    installed = re.sub(r"\s+", " ", (SOURCE / "systemd/CMakeLists.txt").read_text())
    for page in sorted([*MANUAL.glob("*.[15]"), SIMULATOR_PAGE]):
        for path in re.findall(r"/usr/share/share-drift-exporter/([\w./-]*\w)", plain(page.read_text())):
            expect((SOURCE / path).exists(), f"{page.name} names {path}, which is not there")
        for package in re.findall(r"/usr/share/doc/([\w-]+)/README.md", plain(page.read_text())):
            expect(package == "ens-simulator" and "tests/simulator/README.md DESTINATION ${doc_simulator}" in installed,
                   f"{page.name} names a README of {package}")
        expect(not re.search(r"/usr/share/doc/[\w-]+/(?!README\.md)", plain(page.read_text())), f"{page.name} names another document")


def check_schema():
    schema = json.loads((SOURCE / "config/share-drift-exporter.schema.json").read_text())
    page = sections(MANUAL / f"{PROGRAM}.yml.5")
    for title, kind in [("TOP LEVEL", schema), ("POLL", "poll"), ("PROFILES", "profile"), ("IMAGES", "image"),
                        ("EXCEPTIONS", "exception"), ("INVENTORY", "inventory"), ("RULES", "rule"),
                        ("IGNORED IMAGES", "ignored"), ("DEFAULTS", "defaults")]:
        keys = (schema if kind is schema else schema["$defs"][kind])["properties"]
        told = entries(page[title])
        same(f"keys of {title}, in the schema and in {PROGRAM}.yml.5", set(keys), set(told))
        for key, rule in keys.items():
            check_rule(f"{title}: {key}", rule, told.get(key, ([], ""))[1])
    credentials = schema["$defs"]["credentials"]["properties"]
    text = plain(page["CREDENTIALS"])
    sources = set(credentials["source"]["enum"])
    same("sources of credentials", sources, set(entries(page["CREDENTIALS"])) - {"source"})
    bold = set(re.findall(r"[a-z_0-9]{3,}", " ".join(re.findall(r"^\.BR? (.*)$", text, re.M)))) - sources
    same("keys of credentials", set(credentials), bold)
    for key in credentials:
        expect("default" not in credentials[key] or re.search(
            rf"{key}\n\(default: {re.escape(str(credentials[key]['default']).lower())}\)", text), f"credentials: {key}: default")


def check_rule(name, rule, text):
    if "default" in rule:
        default = str(rule["default"]).lower() if isinstance(rule["default"], bool) else str(rule["default"])
        expect(re.search(rf"Default: {re.escape(default)}\.", text), f"{name}: the manual does not give its default {default}")
    for choice in rule.get("enum", []):
        expect(choice in text, f"{name}: the manual does not know {choice}")
    bounds = re.match(r"\w+ to \w+", rule.get("description", ""))
    # Percentages and rates need no bounds to be understood.
    if not bounds and rule.get("type") == "integer" and rule.get("maximum") != 100:
        bounds = re.match(".*", f"{rule['minimum']} to {rule['maximum']}")
    expect(not bounds or bounds[0] in text, f"{name}: the manual does not give its range {bounds and bounds[0]}")


def check_roff():
    for page in sorted([*MANUAL.glob("*.[15]"), SIMULATOR_PAGE]):
        shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], timeout=600,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
        complaints = [line for line in shown.stderr.splitlines() if "root privileges" not in line]
        expect(shown.returncode == 0 and not complaints, f"{page.name}: {complaints}")


def completed(*words):
    """What bash offers after these words; the last one is being typed."""
    script = f"""source {MANUAL}/completion.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _share_drift_exporter; printf '%s\\n' "${{COMPREPLY[@]}}" """
    ran = subprocess.run(["bash", "-c", script, "bash", BIN / PROGRAM, *words], capture_output=True, text=True, timeout=600)
    expect(not ran.stderr, f"completion of {words}: {ran.stderr}")
    return set(ran.stdout.split())


def check_completion():
    same("completion of nothing", completed(""), set(COMMANDS))
    same("completion of -", completed("-"), set(flags_of(help_of())))
    for command in COMMANDS:
        same(f"completion of {command}", completed(command, "-"), set(flags_of(help_of(command))))
        for flag, (kind, _) in flags_of(help_of(command)).items():
            if "|" in kind and kind != "N|auto":
                for typed in ([flag, ""], [flag, "=", ""], [flag, "="]):
                    same(f"completion of {command} {typed}", completed(command, *typed), set(kind.split("|")))
    same("completion of a value", completed("check", "--format", "=", "s"), {"sarif"})
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "one.yml").touch()
        same("completion of a file", completed("--config.file", "=", folder + "/o"), {folder + "/one.yml"})


OF_SOURCES = (check_words, check_paths, check_schema)
OF_PROGRAMS = (check_help, check_flags, check_simulator, check_exits, check_roff, check_completion)
for check in OF_SOURCES + OF_PROGRAMS * (len(sys.argv) > 2):
    check()
print("\n".join(faults) or "manual, help and completion agree")
sys.exit(1 if faults else 0)
