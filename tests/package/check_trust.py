#!/usr/bin/env python3
"""Bills of materials tell all that is in the programs, and the signature holds: check_trust.py SOURCE BUILD"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
KERNEL = "linux"  # its headers are constants
faults = []


def expect(holds, what):
    if not holds:
        faults.append(what)


def run(*words, good=True, **options):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=1200, **options)
    if good and done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {done.stdout}")
    return done.stdout if good else done.returncode


def owners(paths):
    """{path: package}. Some packages still name /lib, which is a link into /usr by now."""
    asked = [place for path in paths for place in {path, path.removeprefix("/usr")}]
    done = subprocess.run(["dpkg-query", "-S", *asked], capture_output=True, text=True, timeout=1200)
    found = {place: package for package, place in (line.split(": ", 1) for line in done.stdout.splitlines())}
    return {path: found.get(path, found.get(path.removeprefix("/usr"))) for path in paths}


def installed(field):
    """{package: that field} of all that is installed."""
    lines = run("dpkg-query", "-W", "-f", f"${{Package}} ${{{field}}}\\n").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def check_form(bill, name):
    """What SPDX 2.3 asks of every document."""
    expect((bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), f"{name}: head")
    expect(bill["documentNamespace"].startswith("urn:uuid:") and bill["creationInfo"]["created"] == "2026-01-01T00:00:00Z",
           f"{name}: namespace or date")
    known = [bill["SPDXID"], *(one["SPDXID"] for one in bill["packages"] + bill["files"])]
    expect(len(known) == len(set(known)), f"{name}: an identifier stands for two things")
    expect(all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in known), f"{name}: identifiers")
    for relation in bill["relationships"]:
        expect(relation["spdxElementId"] in known and relation["relatedSpdxElement"] in known, f"{name}: {relation} leads nowhere")
    for package in bill["packages"]:
        expect(package.keys() >= {"name", "versionInfo", "downloadLocation"} and not package["filesAnalyzed"], f"{name}: {package}")


def check_bill(bill, program, name):
    """Every library that the program names is there, with the version that dpkg has installed."""
    check_form(bill, name)
    versions = {package["name"]: package["versionInfo"] for package in bill["packages"]}
    files = {one["SPDXID"]: one for one in bill["files"]}
    [ours] = [one for one in bill["files"] if one["fileName"] == f"./usr/bin/{program.name}"]
    linked = [files[r["relatedSpdxElement"]] for r in bill["relationships"]
              if (r["spdxElementId"], r["relationshipType"]) == (ours["SPDXID"], "DYNAMIC_LINK")]
    opened = dict(re.findall(r"(\S+) => (/\S+) \(0x", run("ldd", program)))
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-dW", program))
    paths = {soname: os.path.realpath(opened.get(soname, f"/lib64/{soname}")) for soname in needed}
    packages, dpkg = owners(paths.values()), installed("Version")
    for soname, path in paths.items():
        package = packages[path].partition(":")[0]
        expect(versions.get(package) == dpkg[package], f"{name}: {soname} is of {package} {dpkg[package]}, told: {versions.get(package)}")
        told = [one for one in linked if one["fileName"] == f".{path}"]
        expect(len(told) == 1, f"{name}: {soname} is linked, and not told of")
        sums = {checksum["checksumValue"] for one in told for checksum in one["checksums"]}
        expect(hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() in sums, f"{name}: checksum of {soname}")
    expect(len(linked) == len(needed), f"{name}: {len(linked)} libraries are told of, {len(needed)} are named")
    return versions


def check_headers(versions, objects, name):
    """Every package whose headers were read is told of: itself, or by the library of the same source."""
    sources = installed("source:Package")
    told = {sources.get(package) for package in versions} | {KERNEL}
    headers = {}
    for line in run("ninja", "-C", BUILD, "-t", "deps").splitlines():
        if not line.startswith(" "):
            current = line.startswith(objects)
        elif current and line.strip().startswith("/usr/include/"):
            headers.setdefault("/".join(line.strip().split("/")[:4]), line.strip())  # one of each folder will do
    packages = {package.partition(":")[0] for package in owners([os.path.realpath(path) for path in headers.values()]).values() if package}
    expect(len(packages) >= 5, f"{name}: no headers were found")
    for package in packages:
        expect(sources[package] in told, f"{name}: headers of {package} are compiled in, and the bill has nothing of {sources[package]}")


def check_bills(folder):
    debs = [shutil.copy(deb, folder) for deb in sorted((BUILD / "package").glob("*.deb"))]
    texts = []
    for zone in ("UTC", "Asia/Tokyo"):
        run(sys.executable, SOURCE / "systemd/packaging/spdx.py", *debs, env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600", "TZ": zone})
        texts.append([pathlib.Path(f"{deb}.spdx.json").read_text() for deb in debs])
    expect(texts[0] == texts[1], "two bills of one package differ")
    for deb, text in zip(debs, texts[0]):
        bill, name = json.loads(text), pathlib.Path(deb).name
        run("dpkg-deb", "-x", deb, folder / f"{name}.files")
        [program] = (folder / f"{name}.files/usr/bin").iterdir()
        versions = check_bill(bill, program, name)
        expect(hashlib.sha256(pathlib.Path(deb).read_bytes()).hexdigest() in text, f"{name}: its own checksum")
        check_headers(versions, "daemon/" if program.name == "share-drift-exporter" else "tests/simulator/CMakeFiles/", name)


def check_signature(folder):
    """With a key that is made for it: who has the public half sees a changed file, and a changed list."""
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    shipped = folder / "shipped"
    shipped.mkdir()
    (shipped / "a.deb").write_text("one")
    (shipped / "b.oci.tar").write_text("two")
    try:
        run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "builder@example.org", "ed25519", "sign", "1d", env=environment)
        run(SOURCE / "systemd/packaging/checksums.sh", shipped, "builder@example.org", env=environment)
        verify = lambda good: run("gpg", "--batch", "--verify", "SHA256SUMS.asc", "SHA256SUMS", good=good, cwd=shipped,  # noqa: E731
                                  env=environment)
        verify(True)
        expect(run("sha256sum", "-c", "SHA256SUMS", cwd=shipped) == "a.deb: OK\nb.oci.tar: OK\n", "the checksums")
        (shipped / "SHA256SUMS").write_text((shipped / "SHA256SUMS").read_text().replace("a.deb", "c.deb"))
        expect(verify(False) != 0, "a changed list is taken for signed")
        expect(run(SOURCE / "systemd/packaging/checksums.sh", shipped, "nobody@example.org", good=False, env=environment) != 0,
               "a key that is none")
        expect(not (shipped / "SHA256SUMS.asc").exists(), "an old signature is left beside a new list")
    finally:
        run("gpgconf", "--kill", "all", env=environment)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_bills(folder)
        check_signature(folder)
    print("\n".join(faults) or "bills, checksums and signature hold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
