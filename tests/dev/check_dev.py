#!/usr/bin/env python3
"""./dev never ends without a word, and its help is complete: check_dev.py SOURCE

A copy of the script runs with stand-ins for the tools that it calls, each of which fails once. What it installs is seen where a
Debian is made from nothing: tests/system.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])
# {tool: a command that cannot do without it}
USED_BY = {"cmake": "build", "ninja": "demo", "ctest": "test", "cpack": "package", "python3": "bench", "git": "format",
           "clang-format-14": "lint", "cppcheck": "lint", "systemd-analyze": "lint", "mktemp": "lint",
           "find": "lint"}
REAL = ("bash", "env", "awk", "readlink", "nproc", "grep", "sed", "sort", "date", "tail", "rm", "cat", "true", "xargs")
faults = []


def expect(condition, what):
    if not condition:
        faults.append(what)


class Place:
    """The script alone in a directory, and all the programs that it can find."""

    def __init__(self, directory):
        self.dev = directory / "dev"
        self.bin = directory / "bin"
        (directory / "tests").mkdir()
        self.bin.mkdir()
        shutil.copy(SOURCE / "dev", self.dev)
        shutil.copy(SOURCE / "tests/debian-packages.txt", directory / "tests")
        for name in REAL:
            (self.bin / name).symlink_to(shutil.which(name))
        for name in USED_BY:
            self.stand_in(name, "exit 0")
        self.stand_in("dpkg-query", "echo installed")

    def stand_in(self, name, script):
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *words):
        """(exit status, last line on stderr, stdout)"""
        done = subprocess.run([self.dev, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={"PATH": str(self.bin), "TMPDIR": str(self.dev.parent)})
        return done.returncode, (done.stderr.splitlines() or [""])[-1], done.stdout


def main():
    text = (SOURCE / "dev").read_text()
    known = set(re.findall(r"^  ([a-z-]+)\) ", text, re.M)) - {"install-as-root"}
    with tempfile.TemporaryDirectory() as name:
        place = Place(pathlib.Path(name))
        status, _, usage = place.run("help")
        told = set(re.findall(r"^  ([a-z]+) ", usage, re.M))
        expect(status == 0 and told == known - {"help"}, f"help tells {sorted(told)}, known are {sorted(known)}")
        expect(place.run("deploy")[:2] == (1, "dev: unknown command: deploy"), "an unknown command")
        for tool, command in USED_BY.items():
            place.stand_in(tool, "exit 3")
            status, word, _ = place.run(command)
            expect(status != 0 and word.startswith("dev: ") and (command in word or tool in word),
                   f"./dev {command} with a failing {tool} ends with {status} and says {word!r}")
            place.stand_in(tool, "exit 0")
        place.stand_in("dpkg-query", "exit 1")
        place.stand_in("id", "echo 1000")  # as root it would begin to install on this machine
        status, word, _ = place.run("build")
        expect(status == 1 and word.startswith("dev: needs root or sudo to install: g++"), f"without root: {word!r}")
        place.stand_in("sudo", "exit 1")
        status, word, _ = place.run("build")
        expect(status == 1 and word.startswith("dev: build ended with 1 at line "), f"without a right to sudo: {word!r}")
        (place.bin / "dpkg-query").unlink()
        expect("tests/debian-packages.txt" in place.run("build")[1], "without dpkg")
    print("\n".join(faults) or f"{len(told)} commands, {len(USED_BY)} tools: none fails without a word")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
