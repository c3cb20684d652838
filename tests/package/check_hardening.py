#!/usr/bin/env python3
"""What ships is hardened: check_hardening.py BUILD

Asks the linked programs what they are, and the compiler's command lines for what no program shows: the level of _FORTIFY_SOURCE.
"""
import json
import pathlib
import platform
import re
import subprocess
import sys

BUILD = pathlib.Path(sys.argv[1])
PROGRAMS = ["share-drift-exporter", "ens-simulator"]
# What a program has if it was made so: (what, arguments of readelf, a pattern in its answer)
PROOFS = [
    ("position-independent", "-hd", r"Type:\s+DYN .*(?s:.)*FLAGS_1\).*\bPIE\b"),
    ("RELRO", "-l", r"\bGNU_RELRO\b"),
    ("all of it before main", "-d", r"FLAGS_1\).*\bNOW\b"),
    ("a stack nobody executes", "-l", r"GNU_STACK(\s+0x\w+){5}\s+RW "),
    ("stack protector", "-s", r"\bUND __stack_chk_fail\b"),
    ("_FORTIFY_SOURCE", "-s", r"\bUND __(?!stack)\w+_chk\b"),
    ("_GLIBCXX_ASSERTIONS", "-s", r"\bUND \w*__glibcxx_assert_fail"),
]
ABSENT = [("code that is written to at its start", "-d", r"TEXTREL"), ("a library path of whoever built it", "-d", r"R(UN)?PATH"),
          ("memory both written and executed", "-l", r"\bRWE\b")]
FLAGS = ["-D_FORTIFY_SOURCE=3", "-D_GLIBCXX_ASSERTIONS", "-fstack-protector-strong", "-fstack-clash-protection", "-O2",
         *{"x86_64": ["-fcf-protection"], "aarch64": ["-mbranch-protection=standard"]}.get(platform.machine(), [])]


def readelf(program, what):
    return subprocess.run(["readelf", "-W", *(f"-{c}" for c in what[1:]), BUILD / "bin" / program], capture_output=True, text=True,
                          check=True, timeout=600).stdout


def main():
    faults = []
    for program in PROGRAMS:
        faults += [f"{program} lacks: {what}" for what, how, pattern in PROOFS if not re.search(pattern, readelf(program, how))]
        faults += [f"{program} has {what}" for what, how, pattern in ABSENT if re.search(pattern, readelf(program, how))]
    ours = [entry for entry in json.loads((BUILD / "compile_commands.json").read_text())
            if re.search(r"(^|/)daemon/\S+\.o$", entry.get("output", "")) or " -o daemon/" in entry["command"]]
    for entry in ours:
        words = entry["command"].split()
        faults += [f"{entry['file']} is compiled without {flag}" for flag in FLAGS if flag not in words]
        faults += [f"{entry['file']} is compiled with {word}" for word in words if word.startswith(("-U_", "-fno-stack", "-O0"))]
    if len(ours) < 100:
        faults.append(f"only {len(ours)} sources were looked at")
    print("\n".join(faults) or f"{len(PROGRAMS)} programs and {len(ours)} command lines are as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
