#!/usr/bin/env python3
"""Counts instructions and allocations of the hot paths with callgrind: count.py [--write]

Unlike times these are the same on every x86-64 machine and at every load, as long as compiler and libraries are: what is
counted is our code and the libraries it calls. libcrypto is told to use no instructions that some processors lack. libc
chooses its code by the processor and cannot be told, so it is left out; how often it must allocate is counted.

A count above that of counts.json by more than TOLERANCE fails. One that fell below asks to be written down (--write), so
that what was won is not lost unseen.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COUNTS = pathlib.Path(__file__).with_name("counts.json")
PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "tests" / "count_bench"
TOLERANCE = 0.05
CHOSEN_BY_PROCESSOR = ("/libc.so", "/libm.so", "=???")
PLAIN_LIBCRYPTO = {"OPENSSL_ia32cap": "0:0"}


def read_profile(text):
    """Instructions that count, of one of callgrind's parts, names written out."""
    instructions, counts, call = 0, True, False
    for line in text.splitlines():
        if line.startswith("ob="):
            counts = not any(name in line for name in CHOSEN_BY_PROCESSOR)
        elif line.startswith("calls="):
            call = True  # the next line is what the callee cost, which is counted where it is spent
        elif re.match(r"[0-9+*-]", line):
            if counts and not call:
                instructions += int(line.split()[1])
            call = False
    return instructions


def count(program):
    """{path: {"instructions": per step, "allocations": per step}}"""
    with tempfile.TemporaryDirectory(prefix="sharedrift-") as directory:
        out = pathlib.Path(directory) / "part"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=walk_counted", "--dump-after=walk_counted",
             "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={out}", program],
            capture_output=True, text=True, timeout=300, env={**os.environ, **PLAIN_LIBCRYPTO})
        if done.returncode != 0:
            sys.exit(f"valgrind ended with {done.returncode}: {done.stderr[-2000:]}")
        found = {}
        for number, line in enumerate(done.stdout.splitlines(), 1):
            name, steps, allocations = line.split()
            instructions = read_profile(out.with_name(f"part.{number}").read_text())
            found[name] = {"instructions": round(instructions / int(steps)),
                           "allocations": round(int(allocations) / int(steps), 2)}
    if not found or any(one["instructions"] == 0 for one in found.values()):
        sys.exit(f"nothing was counted: {found}")
    return found


def table(found, known):
    """The counts, each with its ratio to what is known."""
    def cell(name, what):
        old = known.get(name, {}).get(what)
        return f"{found[name][what]:,} | " + (f"{found[name][what] / old:.2f}" if old else "")
    rows = [f"| `{name}` | {cell(name, 'instructions')} | {cell(name, 'allocations')} |" for name in found]
    return "\n".join(["| counted by callgrind | instructions | to baseline | allocations | to baseline |",
                      "|---|---:|---:|---:|---:|", *rows])


def judge(found, known):
    """What is worse, and what is better, one line each."""
    worse, better = [], []
    for name in sorted(found.keys() | known.keys()):
        if name not in found or name not in known:
            worse.append(f"{name} is {'not known yet' if name in found else 'gone'}")
            continue
        for what, new in found[name].items():
            old = known[name][what]
            line = f"{name}: {old:,} {what} a step became {new:,}"
            if new > old * (1 + TOLERANCE):
                worse.append(line)
            elif new < old * (1 - TOLERANCE):
                better.append(line)
    return worse, better


def report(found):
    """Prints the counts beside what is written down; whether none is worse."""
    known = json.loads(COUNTS.read_text())
    print(table(found, known))
    worse, better = judge(found, known)
    if better:
        print("\nBetter than written down; write the new count (count.py --write):\n" + "\n".join(better))
    if worse:
        print("\nWorse than written down; if that is meant: count.py --write\n" + "\n".join(worse))
    return not worse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=PROGRAM)
    parser.add_argument("--write", action="store_true", help="write the counts to counts.json")
    args = parser.parse_args()
    found = count(args.program)
    if args.write:
        COUNTS.write_text(json.dumps(found, indent=1) + "\n")
    if not report(found):
        sys.exit(1)


if __name__ == "__main__":
    main()
