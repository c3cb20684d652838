#!/usr/bin/env python3
"""The image holds what it should and nothing else, is small, repeats, and is read by others: check_image.py SOURCE DEBS OUTPUT

Leaves layout and tar in OUTPUT, for run_image.py.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

SOURCE, DEBS, OUTPUT = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
NAME = "share-drift-exporter"
URL = "https://git.example/share-drift-exporter"
EPOCH = 1767225600  # of a commit that never was
LIMIT = 20_000_000
# What is no library: everything that may be in the image, and why it is there.
KNOWN = [rf"usr/bin/{NAME}", r"etc/(passwd|group|nsswitch\.conf)", r"usr/lib/os-release", r"etc/ssl/certs/ca-certificates\.crt",
         r"usr/share/(doc/[^/]+/copyright|common-licenses/[^/]+)", r"var/lib/dpkg/status\.d/[^/]+"]
faults = []


def expect(holds, what):
    if not holds:
        faults.append(what)


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200,
                          **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


def build(deb, output, folder, **environment):
    """Builds the image as somebody else would: with another umask, in another folder and time zone."""
    return run(sys.executable, SOURCE / "systemd/packaging/image.py", "--deb", deb, "--output", output, "--revision", "0" * 40, "--source", URL,
               cwd=folder, umask=environment.pop("umask", 0o022),
               env={"PATH": os.environ["PATH"], "HOME": str(folder), "SOURCE_DATE_EPOCH": str(EPOCH), **environment}).strip()


def check_repeats(deb, folder):
    here = build(deb, OUTPUT, SOURCE)
    elsewhere = folder / "a place with blanks"
    elsewhere.mkdir()
    copied = shutil.copy(deb, elsewhere)  # of another time
    there = build(copied, elsewhere / "out", elsewhere, TZ="Pacific/Kiritimati", LC_ALL="de_DE.UTF-8", LANGUAGE="de", umask=0o077)
    expect(here == there, f"built twice, two digests: {here} and {there}")
    for file in OUTPUT.glob(f"{NAME}_*"):
        expect(file.read_bytes() == (elsewhere / "out" / file.name).read_bytes(), f"built twice, {file.name} differs")
    return here


def blob(digest):
    content = (OUTPUT / "layout/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
    expect(f"sha256:{hashlib.sha256(content).hexdigest()}" == digest, f"{digest} is another blob")
    return content


def check_config(manifest, config, version):
    expect(config["config"]["User"] == "65532:65532", f"user {config['config']['User']}")
    expect(config["config"]["Entrypoint"] == [f"/usr/bin/{NAME}"], f"entry point {config['config']['Entrypoint']}")
    labels = {"version": version, "revision": "0" * 40, "source": URL, "licenses": "MIT", "title": NAME,
              "created": "2026-01-01T00:00:00Z"}
    for place in (config["config"]["Labels"], manifest["annotations"]):
        for name, value in labels.items():
            expect(place.get(f"org.opencontainers.image.{name}") == value, f"label {name} is not {value}: {place}")
    packed = sum(layer["size"] for layer in manifest["layers"])
    expect(packed <= LIMIT, f"{packed} bytes packed, at most {LIMIT} are wanted")
    return packed


def entries(manifest, config):
    """{path: (tar entry, content)} of all layers."""
    found = {}
    for layer, diff in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        tar = gzip.decompress(blob(layer["digest"]))
        expect(f"sha256:{hashlib.sha256(tar).hexdigest()}" == diff, f"{diff} is another layer")
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for entry in archive:
                found[entry.name] = (entry, archive.extractfile(entry).read() if entry.isfile() else b"")
    return found


def check_files(files, deb, folder):
    run("dpkg-deb", "-x", deb, folder / "deb")
    program = (folder / "deb/usr/bin" / NAME)
    expect(files[f"usr/bin/{NAME}"][1] == program.read_bytes(), "the program is not the package's")
    opened = {os.path.realpath(path).lstrip("/") for path in re.findall(r"(/\S+) \(0x", run("ldd", program))}
    for path in opened:
        expect(path in files and files[path][1] == pathlib.Path("/", path).read_bytes(), f"not in the image: {path}")
    for path, (entry, content) in files.items():
        if entry.isfile() and path not in opened:
            expect(any(re.fullmatch(pattern, path) for pattern in KNOWN), f"nobody knows why this is in the image: {path}")
            expect(not content.startswith((b"#!", b"\x7fELF")) or path == f"usr/bin/{NAME}", f"this can be executed: {path}")
        expect(entry.isfile() or entry.isdir() or entry.issym(), f"neither file, folder nor link: {path}")
        ours = path == f"var/lib/{NAME}"
        expect((entry.uid, entry.gid) == ((65532, 65532) if ours else (0, 0)), f"owner of {path}: {entry.uid}:{entry.gid}")
        expect(entry.issym() or entry.mode & 0o022 == 0 or (path, entry.mode) == ("tmp", 0o1777), f"mode of {path}: {entry.mode:o}")
        expect(entry.mode & 0o6000 == 0, f"mode of {path}: {entry.mode:o}")
    asked = [place for path in opened for place in (f"/{path}", f"/{path.removeprefix('usr/')}")]  # some packages still name /lib
    found = subprocess.run(["dpkg-query", "-S", *asked], capture_output=True, text=True, timeout=1200).stdout
    owners = {line.partition(":")[0] for line in found.splitlines()} | {"ca-certificates", "base-files"}
    versions = dict(line.split() for line in run("dpkg-query", "-W", "-f", "${Package} ${Version}\\n").splitlines())
    told = {path.rpartition("/")[2] for path in files if path.startswith("var/lib/dpkg/status.d/") and files[path][0].isfile()}
    expect(owners == told, f"packages {sorted(owners ^ told)} are not both used and told of")
    for package in owners:
        expect(f"\nVersion: {versions[package]}\n" in files[f"var/lib/dpkg/status.d/{package}"][1].decode(), f"the version of {package}")
        expect(f"usr/share/doc/{package}/copyright" in files, f"no licence of {package}")
    expect(files["etc/ssl/certs/ca-certificates.crt"][1].count(b"BEGIN CERTIFICATE") > 100, "hardly any certificates")


def check_readers(digest, version, folder):
    """Tools of others take the tar and the layout. Podman's store is in a folder of its own, its traces in mounts of its own."""
    [tar] = OUTPUT.glob("*.oci.tar")
    for place in (f"oci-archive:{tar}", f"oci:{OUTPUT}/layout:{NAME}:{version}"):
        expect(json.loads(run("skopeo", "inspect", place))["Digest"] == digest, f"skopeo sees another digest in {place}")
    run("skopeo", "copy", "--quiet", f"oci-archive:{tar}", f"dir:{folder}/copy")
    copied = hashlib.sha256((folder / "copy/manifest.json").read_bytes()).hexdigest()
    expect(f"sha256:{copied}" == digest, "skopeo copies another image")
    if os.geteuid() != 0:
        print("skipped: podman load, which needs root here")
        return
    store = folder / "podman"
    podman = (f"podman --root={store}/root --runroot={store}/run --tmpdir={store}/tmp --storage-driver=vfs "
              "--cgroup-manager=cgroupfs")
    loaded = subprocess.run(["unshare", "--mount", "sh", "-ec", f"mount -t tmpfs t /run; mount -t tmpfs t /dev/shm; "
                             f"{podman} load -q -i '{tar}'; {podman} image inspect --format '{{{{.Digest}}}}' {NAME}:{version}"],
                            capture_output=True, text=True, timeout=1200)
    if "unshare" in loaded.stderr:
        print(f"skipped: podman load: {loaded.stderr.strip()}")
        return
    expect(loaded.stdout.split()[-1:] == [digest], f"podman loads {loaded.stdout} {loaded.stderr}")


def main():
    [deb] = DEBS.glob(f"{NAME}_*.deb")
    version = run("dpkg-deb", "-f", deb, "Version").strip()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        digest = check_repeats(deb, folder)
        index = json.loads((OUTPUT / "layout/index.json").read_text())
        expect([m["digest"] for m in index["manifests"]] == [digest], "the index names another image")
        manifest = json.loads(blob(digest))
        config = json.loads(blob(manifest["config"]["digest"]))
        packed = check_config(manifest, config, version)
        files = entries(manifest, config)
        check_files(files, deb, folder)
        check_readers(digest, version, folder)
    print("\n".join(faults) or f"{digest}: {len(files)} entries, {packed} bytes packed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
