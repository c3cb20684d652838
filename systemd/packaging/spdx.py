#!/usr/bin/env python3
"""Bills of materials in SPDX 2.3: spdx.py DEB... writes one beside each package, on the machine that built it.

A bill names the product, each library that its program opens with the Debian package and version that it comes from, and the
libraries of headers that are compiled in. SOURCE_DATE_EPOCH dates it. image.py writes the image's.
"""
import hashlib
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import uuid

import debian

UNKNOWN = "NOASSERTION"


def identifier(kind, name):
    return f"SPDXRef-{kind}-{re.sub(r'[^A-Za-z0-9.-]', '-', name)}"


class Bill:
    def __init__(self, name, epoch):
        self.name = name
        self.document = {
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
            "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
                             "creators": ["Tool: share-drift-exporter-packaging"]},
            "packages": [], "files": [], "relationships": []}

    def _relate(self, one, how, other, **more):
        relation = {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other, **more}
        if relation not in self.document["relationships"]:
            self.document["relationships"].append(relation)

    def _package(self, kind, name, version, **more):
        found = {"SPDXID": identifier(kind, name), "name": name, "versionInfo": version, "downloadLocation": UNKNOWN,
                 "filesAnalyzed": False, "licenseConcluded": UNKNOWN, "licenseDeclared": UNKNOWN, "copyrightText": UNKNOWN, **more}
        if found not in self.document["packages"]:
            self.document["packages"].append(found)
        return found["SPDXID"]

    def product(self, name, version, purpose, sha256):
        """What the bill is of; its identifier."""
        one = self._package("Product", name, version, primaryPackagePurpose=purpose, licenseDeclared="MIT",
                            checksums=[{"algorithm": "SHA256", "checksumValue": sha256}])
        self._relate("SPDXRef-DOCUMENT", "DESCRIBES", one)
        return one

    def debian(self, package):
        of = debian.fields(package)
        return self._package(
            "Debian", of["Package"], of["Version"], supplier=f"Person: {of['Maintainer']}",
            sourceInfo=f"built from {of['source:Package']} {of['source:Version']}",
            externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": debian.purl(package)}])

    def _evidence(self, package, path, content):
        """A file that was seen, of a package of which more was not looked at; the file's identifier."""
        one = identifier("File", path)
        self.document["files"].append({
            "SPDXID": one, "fileName": f"./{path}", "fileTypes": ["BINARY"], "copyrightText": UNKNOWN, "licenseConcluded": UNKNOWN,
            "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content, usedforsecurity=False).hexdigest()},
                          {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}]})
        self._relate(package, "OTHER", one, comment="evident-by: this file of the package is used")
        return one

    def has(self, product, how, package):
        """A package of Debian that the product contains or depends on; its identifier."""
        one = self.debian(package)
        self._relate(product, how, one)
        return one

    def program(self, path, product, how):
        """The product's program, the libraries that it opens, and what is compiled in. `how` the product has libraries."""
        file = self._evidence(product, f"usr/bin/{path.name}", path.read_bytes())
        named = debian.named_libraries(path)
        for library in debian.libraries(path):
            package, content = debian.owner(library)
            opened = self._evidence(self.has(product, how, package), debian.canonical(library), content)
            if library in named:
                self._relate(file, "DYNAMIC_LINK", opened)
        for package in debian.HEADERS:
            self._relate(file, "STATIC_LINK", self.debian(package))

    def write(self, folder):
        text = json.dumps(self.document, sort_keys=True)
        # The same content has the same name, another has another.
        self.document["documentNamespace"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, text)}"
        (folder / f"{self.name}.spdx.json").write_text(json.dumps(self.document, indent=1, sort_keys=True) + "\n")


def of_deb(deb, epoch):
    bill = Bill(deb.name, epoch)
    name, version = (debian.output("dpkg-deb", "-f", deb, field).strip() for field in ("Package", "Version"))
    with tempfile.TemporaryDirectory() as folder:
        debian.output("dpkg-deb", "-x", deb, folder)
        product = bill.product(name, version, "INSTALL", hashlib.sha256(deb.read_bytes()).hexdigest())
        bill.program(pathlib.Path(folder, "usr/bin", name), product, "DEPENDS_ON")
    bill.write(deb.parent)


if __name__ == "__main__":
    try:
        for word in sys.argv[1:]:
            of_deb(pathlib.Path(word), int(os.environ["SOURCE_DATE_EPOCH"]))
    except debian.Refused as refused:
        sys.exit(f"spdx: {refused}")
