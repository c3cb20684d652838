#!/usr/bin/env python3
"""One commit gives the same .debs, bills and image whoever builds it: check_repeats.py SOURCE

Two whole builds of what is committed, by ./dev image: here as you are, and by a stranger, who has another folder, time zone, language
and umask, comes later, and has no ccache. LOCPATH is handed on: where tr_TR.UTF-8 is not installed, the stranger's language is C's.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1]).resolve()
STRANGER = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr", "CCACHE_DISABLE": "1"}
KEPT = ("PATH", "JOBS", "LOCPATH")
HOURS = 3600


def run(words, **options):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=3 * HOURS, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {done.stdout[-4000:]}")
    return done.stdout


def built(tree, environment, umask):
    """{name: content} of all that ./dev image leaves, of the commit that SOURCE is at."""
    run(["git", "clone", "--quiet", SOURCE, tree])
    run([tree / "dev", "image"], env=environment, umask=umask)
    folders = [tree / "build/release" / name for name in ("package", "image")]
    return {path.name: path.read_bytes() for folder in folders for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS"}


def difference(name, folder, two):
    """The entries of two packages that differ, where they are packages."""
    if not name.endswith(".deb"):
        return ""
    listed = []
    for number, content in enumerate(two):
        deb, files = folder / f"{number}.deb", folder / f"{number}"
        deb.write_bytes(content)
        run(["dpkg-deb", "-R", deb, files])
        listed.append({path.relative_to(files): hashlib.sha256(path.read_bytes()).hexdigest() for path in files.rglob("*") if path.is_file()})
    return ": " + ", ".join(sorted(str(path) for path in listed[0] if listed[0][path] != listed[1].get(path)) or ["order, times or modes"])


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "home").mkdir()
        known = {word: os.environ[word] for word in KEPT if word in os.environ}
        here = built(folder / "here", dict(os.environ), 0o022)
        there = built(folder / "another place, and longer", {**known, **STRANGER, "HOME": str(folder / "home")}, 0o027)
        faults = [f"only one of the builds has {name}" for name in sorted(here.keys() ^ there.keys())]
        faults += [f"{name} differs{difference(name, folder, (here[name], there[name]))}" for name in sorted(here.keys() & there.keys())
                   if here[name] != there[name]]
    if len([name for name in here if name.endswith(".deb")]) != 2:
        faults.append("there are not two packages")
    print("\n".join(faults) or "\n".join(f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in sorted(here.items())))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
