#!/usr/bin/env python3
"""A Debian 13 made from nothing runs README's first command, passes the tests and makes the image: debian13.py SOURCE TREE

In it are git and what ./dev installs: its own compiler and libraries, Prometheus, Alertmanager and Chromium. The tree on disk and
the compiler's cache are kept while the packages asked for stay the same, so that a second run installs nothing and compiles
what changed. The container has its own /dev and processes, and this machine's network, for apt. The browser tests' npm packages
are this machine's. The image that it makes is run as a pod by this machine's crun.
"""
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from tree import mirror, remove

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import npm  # noqa: E402

SOURCE, TREE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
SKIP = 77
SECONDS = 7000
MACHINE = f"share-drift-13-{os.getpid()}"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ("mmdebstrap", "systemd-nspawn", "git")
CACHE_INSIDE = "/var/cache/ccache"
LABELS = "^(unit|integration|browser)$"


def nspawn(script):
    """Runs a bash script in the tree as root; its exit status. Ends with this process at the latest."""
    command = ["systemd-nspawn", "--quiet", f"--directory={TREE}", "--as-pid2", "--register=no", "--settings=no", "--console=pipe",
               f"--machine={MACHINE}", "--link-journal=no", "--resolv-conf=replace-host", "--timezone=off",
               f"--bind={cache()}:{CACHE_INSIDE}", f"--setenv=CCACHE_DIR={CACHE_INSIDE}", "--chdir=/root"]
    if not pathlib.Path("/run/systemd/system").is_dir():
        command.append("--keep-unit")
    child = subprocess.Popen([*command, "/bin/bash", "-c", script], stdin=subprocess.DEVNULL, env={
        "PATH": PATH, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
        propagate = pathlib.Path("/run/systemd/nspawn/propagate") / MACHINE
        if propagate.is_dir():
            propagate.rmdir()


def cache():
    folder = TREE.with_name("debian13-ccache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_tree():
    """A minimal Debian 13 with git; kept while nothing that it is made of changes."""
    key = hashlib.sha256((SOURCE / "tests/debian-packages.txt").read_bytes() + pathlib.Path(__file__).read_bytes()).hexdigest()
    made = TREE.with_suffix(".made")
    if TREE.is_dir() and made.is_file() and made.read_text() == key:
        print(f"kept: {TREE}", flush=True)
        return
    made.unlink(missing_ok=True)
    remove(TREE)
    TREE.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory", "--include=git,ca-certificates",
                    "--dpkgopt=force-unsafe-io", '--aptopt=Acquire::Languages "none"', "trixie", str(TREE),
                    *([mirror()] if mirror() else [])], check=True, stdin=subprocess.DEVNULL)
    TREE.with_suffix(".enabled").write_text("\n".join(enabled()))
    made.write_text(key)


def copy_source():
    """What git knows of the source as it stands here, beside what an earlier run built of it."""
    names = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    target = TREE / "root/tree"
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        if old.name != "build":
            remove(old) if old.is_dir() else old.unlink()
    for name in filter(None, names):
        if (SOURCE / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, target / name)
    packages = npm.install(SOURCE / "tests/browser", TREE.with_name("debian13-npm"))
    theirs = target / "build/release/tests/browser/npm"
    shutil.rmtree(theirs, ignore_errors=True)
    shutil.copytree(packages, theirs, symlinks=True)


def enabled():
    """Links that enable a unit or an init script."""
    links = [path for folder in ("etc/systemd/system", "etc/systemd/user") for path in (TREE / folder).rglob("*") if path.is_symlink()]
    links += (TREE / "etc").glob("rc[S0-6].d/S*")
    return sorted(str(path.relative_to(TREE)) for path in links)


def left_by_setup():
    """What ./dev setup enabled, and its policy against starting any service, which it must take away again."""
    before = TREE.with_suffix(".enabled").read_text().split("\n")
    return [path for path in enabled() if path not in before] + [
        path for path in ["usr/sbin/policy-rc.d"] if (TREE / path).exists()]


def give_up(number, _):
    sys.exit(f"signal {number}: this test has {SECONDS} s")


def main():
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, give_up)
    signal.alarm(SECONDS)
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        print(f"skipped: this test runs a container, which needs root and {', '.join(missing or TOOLS)}")
        return SKIP
    begun = time.monotonic()

    def done(what):
        print(f"--- {what}: {time.monotonic() - begun:.0f} s", flush=True)
    make_tree()
    if nspawn("true") != 0:
        print("skipped: no container can be run here; the reason stands above")
        return SKIP
    done("a Debian 13 with git")
    copy_source()
    for command in ("./dev demo", "./dev image", f"./dev test -L '{LABELS}'"):
        if nspawn(f"cd tree && {command}") != 0:
            print(f"FAILED: {command}")
            return 1
        done(command)
    image = TREE / "root/tree/build/release/image/layout"
    ran = subprocess.run(["/usr/bin/python3", SOURCE / "tests/image/run_image.py", SOURCE, image]).returncode
    if ran not in (0, SKIP):
        print("FAILED: the image does not run as a pod")
        return 1
    done(f"the image as a pod{', skipped' if ran else ''}")
    left = left_by_setup()
    if left:
        print(f"FAILED: ./dev setup left {left}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
