#!/usr/bin/env python3
"""The .deb holds what it should and lintian finds no error in it: check_deb.py SOURCE FOLDER"""
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1])
[DEB] = pathlib.Path(sys.argv[2]).glob("*.deb")
SHARE = "usr/share/share-drift-exporter/"


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout


def main():
    faults = []
    modes = {}
    for line in run("dpkg-deb", "-c", DEB).splitlines():
        mode, owner, _, _, _, name, *_ = line.split()
        modes[name.removeprefix("./")] = mode
        if owner != "root/root" or "w" in mode[5:] or "s" in mode:
            faults.append(f"mode or owner: {line}")
    wanted = [
        "etc/default/share-drift-exporter", "etc/share-drift-exporter/config.yml",
        "usr/bin/share-drift-exporter", "usr/bin/ens-simulator",
        *(f"usr/lib/systemd/system/share-drift-exporter{unit}" for unit in (".service", ".socket", "@.service")),
        "usr/share/man/man1/share-drift-exporter.1.gz", "usr/share/man/man5/share-drift-exporter.yml.5.gz",
        "usr/share/man/man1/ens-simulator.1.gz", "usr/share/bash-completion/completions/share-drift-exporter",
        *(f"usr/share/doc/share-drift-exporter/{name}" for name in ("copyright", "changelog.gz", "README.md")),
    ]
    for folder in ("config", "dashboards"):
        files = subprocess.run(["git", "-C", SOURCE, "ls-files", folder], capture_output=True, text=True).stdout.split()
        files = files or [str(path.relative_to(SOURCE)) for path in (SOURCE / folder).rglob("*") if path.is_file()]
        wanted += [SHARE + name for name in files if "/screenshots/" not in name]
    faults += [f"not in the package: {name}" for name in wanted if name not in modes]
    faults += [f"nobody knows why this is in the package: {name}"
               for name, mode in modes.items() if mode.startswith("-") and name not in wanted
               and name != "usr/share/doc/share-drift-exporter/ens-simulator.md"]
    conffiles = run("dpkg-deb", "-I", DEB, "conffiles").split()
    if sorted(conffiles) != ["/etc/default/share-drift-exporter", "/etc/share-drift-exporter/config.yml"]:
        faults.append(f"conffiles: {conffiles}")
    version = re.search(r"project\(share-drift-exporter VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
    changelog = (SOURCE / "systemd/debian/changelog").read_text()
    if not changelog.startswith(f"share-drift-exporter ({version}) ") or run("dpkg-deb", "-f", DEB, "Version").strip() != version:
        faults.append("project, package and changelog are of different versions")
    depends = run("dpkg-deb", "-f", DEB, "Depends")
    if "libcurl4" not in depends or "ca-certificates" not in depends:
        faults.append(f"depends: {depends}")
    for script in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", SOURCE / "systemd/debian" / script], check=True)
    found = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", DEB], capture_output=True, text=True, timeout=150)
    if found.returncode != 0:
        faults.append(found.stdout + found.stderr)
    print("\n".join(faults) or f"{DEB.name}: {len(modes)} entries, lintian has no objection")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
