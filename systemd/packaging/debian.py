"""What a program needs of the Debian that it was built on: libraries, their packages, licences, certificates.

Files are taken from this machine as apt installed them. Each must be what its package brought, by the checksum that dpkg keeps.
"""
import collections
import functools
import hashlib
import os
import pathlib
import re
import subprocess
import urllib.parse

INFO = pathlib.Path("/var/lib/dpkg/info")
LICENSES = "usr/share/common-licenses/"
HEADERS = ("libcli11-dev", "nlohmann-json3-dev")  # libraries that are nothing but headers: they are inside of our programs
FIELDS = ("Package", "Version", "Architecture", "Maintainer", "Homepage", "source:Package", "source:Version", "binary:Summary")
PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}  # nothing of who builds reaches the tools


class Refused(Exception):
    """Something is not as Debian left it, or not there; the message says what."""


def output(*words):
    done = subprocess.run([str(word) for word in words], env=PLAIN, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=600)
    if done.returncode != 0:
        raise Refused(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def canonical(path):
    """The path of a file behind every link, without the leading slash."""
    return os.path.realpath(path).lstrip("/")


def libraries(program):
    """Paths of all that the loader opens for the program, itself included, as it opens them."""
    told = output("ldd", program)
    if "not found" in told:
        raise Refused(f"{program} lacks a library:\n{told}")
    return re.findall(r"(/\S+) \(0x", told)


def named_libraries(program):
    """Those of them that the program itself names, and not only another library."""
    names = re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-dW", program))
    return [path for path in libraries(program) if pathlib.Path(path).name in names]


@functools.cache
def _installed():
    """{file name: [(package as dpkg's files are named, path, MD5)]} of all that is installed."""
    found = collections.defaultdict(list)
    for listing in INFO.glob("*.md5sums"):
        for line in listing.read_text(errors="replace").splitlines():
            checksum, path = line.split(maxsplit=1)
            found[path.rpartition("/")[2]].append((listing.stem, path, checksum))
    return found


def owner(path):
    """(package, content) of an installed file that is still what the package brought."""
    inside = canonical(path)
    # Packages name files in /lib that are in /usr/lib since /lib is a link.
    owners = [(package, checksum) for package, listed, checksum in _installed()[pathlib.Path(inside).name]
              if canonical(f"/{listed}") == inside]
    if not owners:
        raise Refused(f"{path} is of no Debian package")
    [(package, checksum)] = owners
    content = pathlib.Path(path).read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum:
        raise Refused(f"{path} is not what {package} brought")
    return package, content


@functools.cache
def fields(package):
    """{field: value} of an installed package."""
    values = output("dpkg-query", "-W", "-f", "\\n".join(f"${{{name}}}" for name in FIELDS), package).split("\n")
    return dict(zip(FIELDS, values, strict=True))


def copyrights(package):
    """{path: content} of the package's licence, and of those that it refers to."""
    name = fields(package)["Package"]
    path = pathlib.Path(f"/usr/share/doc/{name}/copyright")
    if not path.is_file():
        raise Refused(f"{path} is missing: this machine installs packages without their licences")
    text = path.read_bytes()
    found = {f"usr/share/doc/{name}/copyright": text}
    for license_name in re.findall(LICENSES + r"([\w.-]*\w)", text.decode(errors="replace")):
        common = pathlib.Path("/", LICENSES, license_name)
        if common.is_file():
            found[LICENSES + license_name] = common.read_bytes()
    return found


def certificate_bundle():
    """(package, content) of one file with the authorities of Debian's package, and none that was added to this machine."""
    package = "ca-certificates"
    installed = sorted(path for name, files in _installed().items() if name.endswith(".crt")
                       for of, path, _ in files if of == package)
    if not installed:
        raise Refused(f"{package} is not installed")
    return package, b"".join(owner(f"/{path}")[1].rstrip(b"\n") + b"\n" for path in installed)


def release():
    """{NAME: value} of os-release."""
    return dict(re.findall(r'^(\w+)="?(.*?)"?$', pathlib.Path("/etc/os-release").read_text(), re.M))


def purl(package):
    """The package's name in the form that scanners compare with advisories."""
    of = fields(package)
    name, version = (urllib.parse.quote(of[field], safe="~") for field in ("Package", "Version"))
    return f"pkg:deb/debian/{name}@{version}?arch={of['Architecture']}&distro=debian-{release()['VERSION_ID']}"
