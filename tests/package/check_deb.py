#!/usr/bin/env python3
"""The .debs hold what they should and lintian finds no error in them: check_deb.py SOURCE FOLDER"""
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE, FOLDER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SHARE = "usr/share/share-drift-exporter/"


def run(*words, check=True):
    return subprocess.run(words, capture_output=True, text=True, check=check, timeout=1200).stdout


def version():
    return re.search(r"project\(share-drift-exporter VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]


def documents(package, *more):
    return [f"usr/share/doc/{package}/{name}" for name in ("copyright", "changelog.gz", "README.md", *more)]


def monitoring_pack():
    yield SHARE + "systemd/README.md"  # the other pages lead there
    for folder in ("config", "dashboards"):
        files = run("git", "-C", SOURCE, "ls-files", folder, check=False).split()
        files = files or [str(path.relative_to(SOURCE)) for path in (SOURCE / folder).rglob("*") if path.is_file()]
        yield from (SHARE + name for name in files if "/screenshots/" not in name)


PACKAGES = {
    "share-drift-exporter": {
        "files": [
            "etc/default/share-drift-exporter", "etc/share-drift-exporter/config.yml", "usr/bin/share-drift-exporter",
            *(f"usr/lib/systemd/system/share-drift-exporter{unit}" for unit in (".service", ".socket", "@.service")),
            "usr/share/man/man1/share-drift-exporter.1.gz", "usr/share/man/man5/share-drift-exporter.yml.5.gz",
            "usr/share/bash-completion/completions/share-drift-exporter", *documents("share-drift-exporter"), *monitoring_pack()],
        "depends": ["libcurl4", "ca-certificates"],
        "takes_over": "",
        "conffiles": ["/etc/default/share-drift-exporter", "/etc/share-drift-exporter/config.yml"],
    },
    "ens-simulator": {
        "files": ["usr/bin/ens-simulator", "usr/share/man/man1/ens-simulator.1.gz", *documents("ens-simulator")],
        "depends": ["libcpp-httplib"],
        "takes_over": "share-drift-exporter (<< 0.2.0)",  # which brought the simulator's files, too
        "conffiles": [],
    },
}


def check(name, wanted):
    """What is wrong with the package, one line each."""
    [deb] = FOLDER.glob(f"{name}_*.deb")
    faults, modes = [], {}
    for line in run("dpkg-deb", "-c", deb).splitlines():
        mode, owner, _, _, _, path, *_ = line.split()
        modes[path.removeprefix("./")] = mode
        if owner != "root/root" or "w" in mode[5:] or "s" in mode or mode[0] == "d" and mode != "drwxr-xr-x":
            faults.append(f"mode or owner: {line}")
    faults += [f"not in {name}: {path}" for path in wanted["files"] if path not in modes]
    faults += [f"nobody knows why this is in {name}: {path}"
               for path, mode in modes.items() if mode.startswith("-") and path not in wanted["files"]]
    conffiles = run("dpkg-deb", "-I", deb, "conffiles", check=False).split()
    if sorted(conffiles) != wanted["conffiles"]:
        faults.append(f"conffiles of {name}: {conffiles}")
    if run("dpkg-deb", "-f", deb, "Version").strip() != version():
        faults.append(f"project and {name} are of different versions")
    depends = run("dpkg-deb", "-f", deb, "Depends")
    faults += [f"{name} does not depend on {other}: {depends}" for other in wanted["depends"] if other not in depends]
    for field in ("Breaks", "Replaces"):
        if run("dpkg-deb", "-f", deb, field).strip() != wanted["takes_over"]:
            faults.append(f"{field} of {name}")
    found = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", deb], capture_output=True, text=True, timeout=1200)
    if found.returncode != 0:
        faults.append(found.stdout + found.stderr)
    if not faults:
        print(f"{deb.name}: {len(modes)} entries, lintian has no objection")
    return faults


def dead_links():
    """Relative links of the packages' documents that lead to nothing that the packages install."""
    with tempfile.TemporaryDirectory() as folder:
        for name in PACKAGES:
            [deb] = FOLDER.glob(f"{name}_*.deb")
            run("dpkg-deb", "-x", deb, folder)
        papers = sorted(pathlib.Path(folder).rglob("*.md"))
        links = [(paper, link) for paper in papers for link in re.findall(r"\]\(([^)#\s]+)", paper.read_text()) if "://" not in link]
        yield from (f"{paper.relative_to(folder)} leads to {link}, which is not installed" for paper, link in links
                    if not (paper.parent / link).exists())
        led = {paper.relative_to(folder).parts[-2] for paper, _ in links}
        if not led >= {"share-drift-exporter", "config", "dashboards", "systemd", "runbooks"}:
            yield f"links were found in the documents of {led} alone"
    print(f"{len(links)} links of {len(papers)} documents")


def main():
    faults = [fault for name, wanted in PACKAGES.items() for fault in check(name, wanted)] + [*dead_links()]
    if not (SOURCE / "systemd/debian/changelog").read_text().startswith(f"share-drift-exporter ({version()}) "):
        faults.append("project and changelog are of different versions")
    for script in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", SOURCE / "systemd/debian" / script], check=True)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
