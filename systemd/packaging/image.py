#!/usr/bin/env python3
"""The container image: the daemon out of its .deb, the libraries that it links, certificates, licences, and nothing else.

Two layers: what is Debian's, which stays the same until Debian updates it, and what is ours. SOURCE_DATE_EPOCH dates it.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

import debian
import spdx
from oci import Layout, Tree

NAME = "share-drift-exporter"
PROGRAM = f"usr/bin/{NAME}"
USER = 65532  # as Kubernetes' and distroless images have it; any other serves as well
STATE = f"var/lib/{NAME}"
RUN = {
    "User": f"{USER}:{USER}", "WorkingDir": "/", "Entrypoint": [f"/{PROGRAM}"], "ExposedPorts": {"10191/tcp": {}},
    "Cmd": ["run", f"--config.file=/etc/{NAME}/config.yml", "--config.enable-auto-reload", f"--storage.path=/{STATE}/state.db",
            "--web.listen-address=:10191", "--log.format=json"],
    # A dead name server must not outlast a request's deadline; systemd's unit has the same line.
    "Env": ["PATH=/usr/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "RES_OPTIONS=timeout:2 attempts:2"],
}


def add_library(tree, path):
    """Puts what the loader opens where it looks for it; the name of the package. Links lead to it as on this machine."""
    package, content = debian.owner(path)
    inside = debian.canonical(path)
    tree.file(inside, content, 0o755)
    named = pathlib.Path(debian.canonical(pathlib.Path(path).parent), pathlib.Path(path).name)
    if str(named) != inside:
        tree.link(str(named), os.path.relpath(inside, named.parent))
    top = path.split("/")[1]
    if os.path.islink(f"/{top}"):  # /lib and /lib64 are links into /usr
        tree.link(top, os.readlink(f"/{top}"))
    return package


def debian_layer(program):
    """(the layer, the packages that it is made of): all that the program needs of Debian."""
    tree = Tree(0)
    packages = {add_library(tree, path) for path in debian.libraries(program)}
    authorities, bundle = debian.certificate_bundle()
    tree.file("etc/ssl/certs/ca-certificates.crt", bundle)
    packages = sorted({*packages, authorities, "base-files"})
    for package in packages:
        for path, text in debian.copyrights(package).items():
            tree.file(path, text)
        # Where scanners of images without dpkg look for what is installed.
        tree.file(f"var/lib/dpkg/status.d/{debian.fields(package)['Package']}", status(package).encode())
    tree.file("usr/lib/os-release", debian.owner("/usr/lib/os-release")[1])
    tree.link("etc/os-release", "../usr/lib/os-release")
    tree.file("etc/passwd", f"root:x:0:0::/:/nonexistent\nnonroot:x:{USER}:{USER}::/:/nonexistent\n".encode())
    tree.file("etc/group", f"root:x:0:\nnonroot:x:{USER}:\n".encode())
    tree.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")
    tree.folder("tmp", 0o1777)
    return tree, packages


def status(package):
    of = debian.fields(package)
    return (f"Package: {of['Package']}\nStatus: install ok installed\nMaintainer: {of['Maintainer']}\n"
            f"Architecture: {of['Architecture']}\nSource: {of['source:Package']} ({of['source:Version']})\n"
            f"Version: {of['Version']}\nDescription: {of['binary:Summary']}\n")


def own_layer(unpacked, epoch):
    tree = Tree(epoch)
    tree.file(PROGRAM, (unpacked / PROGRAM).read_bytes(), 0o755)
    document = f"usr/share/doc/{NAME}/copyright"
    tree.file(document, (unpacked / document).read_bytes())
    tree.folder(f"etc/{NAME}")
    tree.folder(STATE, 0o700, USER)
    return tree


def labels(version, created, options):
    prefix = "org.opencontainers.image."
    found = {"title": NAME, "version": version, "revision": options.revision, "licenses": "MIT", "created": created,
             "description": "Prometheus exporter that proves with whom Alibaba Cloud ENS images are shared"}
    if options.source:
        found["source"] = options.source
    return {prefix + name: value for name, value in found.items()}


def build(options, unpacked):
    """Writes layout, tar, digest and bill of materials into the output folder; the image's digest."""
    version, architecture = (debian.output("dpkg-deb", "-f", options.deb, field).strip() for field in ("Version", "Architecture"))
    below, packages = debian_layer(unpacked / PROGRAM)
    options.output.mkdir(parents=True, exist_ok=True)
    for old in (options.output / "layout", *options.output.glob(f"{NAME}_*")):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    layout = Layout(options.output / "layout")
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(options.epoch))
    digest = layout.image(
        {"architecture": architecture, "os": "linux"}, created, [below, own_layer(unpacked, options.epoch)],
        [f"{debian.release()['PRETTY_NAME']}: {', '.join(debian.fields(name)['Package'] for name in packages)}",
         f"{NAME} {version} of {options.revision}"], RUN, labels(version, created, options), f"{NAME}:{version}")
    stem = f"{NAME}_{version}_{architecture}"
    layout.archive(options.output / f"{stem}.oci.tar", options.epoch)
    (options.output / f"{stem}.oci.digest").write_text(digest + "\n")
    bill = spdx.Bill(f"{stem}.oci.tar", options.epoch)
    product = bill.product(NAME, version, "CONTAINER", digest.removeprefix("sha256:"))
    bill.program(unpacked / PROGRAM, product, "CONTAINS")
    for package in packages:
        bill.has(product, "CONTAINS", package)
    bill.write(options.output)
    return digest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deb", type=pathlib.Path, required=True, help="the daemon's package, built on this machine")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder for layout, tar and bill of materials")
    parser.add_argument("--revision", required=True, help="the commit")
    parser.add_argument("--source", default="", help="URL of the source code")
    options = parser.parse_args()
    options.epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    with tempfile.TemporaryDirectory() as folder:
        unpacked = pathlib.Path(folder)
        debian.output("dpkg-deb", "-x", options.deb, unpacked)
        print(build(options, unpacked))


if __name__ == "__main__":
    try:
        main()
    except debian.Refused as refused:
        sys.exit(f"image: {refused}")
