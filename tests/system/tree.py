#!/usr/bin/env python3
"""Makes the Debian that the system test boots: tree.py FOLDER-OF-THE-DEBS TREE

A minimal Debian with systemd, and in its apt cache what the packages depend on, since the container has no network. It is made
once and kept while neither the dependencies nor this file change.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIP = 77
TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter")
INCLUDE = "systemd,systemd-sysv,dbus,ca-certificates,curl,openssl"


def run(*words, **options):
    return subprocess.run(words, check=True, text=True, stdin=subprocess.DEVNULL, **options)


def codename():
    """Of the Debian that this is: the packages were built for it."""
    return re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.M)[1]


def mirror():
    """Where apt gets Debian from on this machine."""
    found = run("apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {codename()}", "Created-By: Packages",
                stdout=subprocess.PIPE, timeout=600).stdout.split()
    return found[0] if found else ""


def remove(tree):
    """Nothing may be mounted in what is removed, and nothing on another file system is."""
    if str(tree.resolve()) in pathlib.Path("/proc/self/mountinfo").read_text():
        sys.exit(f"something is mounted in {tree}: not touched")
    run("rm", "-rf", "--one-file-system", str(tree), timeout=1200)


def main():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        print(f"skipped: this test boots a container, which needs root and {', '.join(missing or TOOLS)}")
        return SKIP
    debs = sorted(pathlib.Path(sys.argv[1]).glob("*.deb"))
    tree = pathlib.Path(sys.argv[2])
    depends = "".join(run("dpkg-deb", "-f", deb, "Depends", stdout=subprocess.PIPE, timeout=600).stdout for deb in debs)
    key = hashlib.sha256(depends.encode() + pathlib.Path(__file__).read_bytes()).hexdigest()
    made = tree.with_suffix(".made")
    if tree.is_dir() and made.is_file() and made.read_text() == key:
        print(f"kept: {tree}")
        return 0
    made.unlink(missing_ok=True)
    remove(tree)
    tree.parent.mkdir(parents=True, exist_ok=True)
    # The files are thrown away after a power cut anyway: no need to wait for the disk (force-unsafe-io).
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory", f"--include={INCLUDE}",
               "--dpkgopt=force-unsafe-io", '--aptopt=Acquire::Languages "none"', "--skip=cleanup/apt",
               *(f"--customize-hook=copy-in {deb} /tmp" for deb in debs),
               '--customize-hook=chroot "$1" sh -c "apt-get install -y -q --no-install-recommends --download-only /tmp/*.deb"',
               '--customize-hook=rm "$1"/tmp/*.deb', codename(), str(tree)]
    if mirror():
        command.append(mirror())
    run(*command, timeout=3600)
    made.write_text(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
