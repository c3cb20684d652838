"""A pod as Kubernetes runs it from a StatefulSet, by crun: kubelet's volumes, identity, confinement and probes, without a cluster.

It is to be used inside of namespaces of a test's own (run_image.py): the container has the network that its maker has, and all of it
ends with its maker.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import PATIENCE, Daemon, Process, fetch  # noqa: E402

SECCOMP = pathlib.Path("/usr/share/containers/seccomp.json")  # the profile that Podman and CRI-O call their default
ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


def seccomp():
    """The default profile for a container without capabilities, in the form that crun reads."""
    profile = json.loads(SECCOMP.read_text())
    ours = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    calls = []
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
        # What excludes a capability is for those without it, as this container is.
        if includes.get("caps") or ours not in includes.get("arches", [ours]) or ours in excludes.get("arches", []):
            continue
        calls.append({key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key) is not None})
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile["defaultErrnoRet"],
            "architectures": [ARCHITECTURES[os.uname().machine]], "syscalls": calls}


class Ended(Exception):
    """The container is no more, and nothing is to be waited for."""


class Projected:
    """A ConfigMap or Secret as kubelet projects it: files are links through ..data, which is swapped in one step."""

    def __init__(self, folder, group, mode):
        self.folder, self.group, self.mode, self.generation = folder, group, mode, 0
        folder.mkdir()
        own(folder, group, 0o2777)

    def write(self, files):
        self.generation += 1
        fresh = self.folder / f"..2026_11_30_{self.generation}"
        fresh.mkdir()
        own(fresh, self.group, 0o2755)
        for name, text in files.items():
            (fresh / name).write_text(text)
            own(fresh / name, self.group, self.mode)
        old = os.readlink(self.folder / "..data") if self.generation > 1 else None
        (self.folder / "..data_tmp").symlink_to(fresh.name)
        os.replace(self.folder / "..data_tmp", self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        if old:
            shutil.rmtree(self.folder / old)
        return self


def own(path, group, mode):
    os.chown(path, 0, group)
    path.chmod(mode)


def persistent(folder, group):
    """An empty persistent volume, which kubelet gives to fsGroup."""
    folder.mkdir(exist_ok=True)
    own(folder, group, 0o2775)
    return folder


class Pod(Daemon):
    """Number 0 of a StatefulSet whose volumes are folders here: {name of the volume: folder}."""

    def __init__(self, directory, bundle, spec, volumes, name, user=None):
        self.bundle, self.spec, self.name = pathlib.Path(bundle), spec, name
        self.container = spec["containers"][0]
        [port] = [p["containerPort"] for p in self.container["ports"]]
        self.address = f"127.0.0.1:{port}"
        scheme = self.container["livenessProbe"]["httpGet"].get("scheme", "HTTP")
        self.url = f"{scheme.lower()}://{self.address}"
        self.states = directory / "crun"
        self.folder = directory / name
        self.folder.mkdir()
        (self.folder / "config.json").write_text(json.dumps(self._config(volumes, user)))
        Process.__init__(self, name, [*self._crun("run"), "--bundle", self.folder, name], directory)

    def _crun(self, command):
        return ["crun", f"--root={self.states}", "--cgroup-manager=disabled", command]

    def _config(self, volumes, user):
        config = json.loads((self.bundle / "config.json").read_text())
        pod, container = self.spec["securityContext"], self.container["securityContext"]
        process = config["process"]
        process["terminal"] = False
        entry = process["args"][:1]  # args replace the image's command, the entry point stays
        variables = {v["name"]: v["value"] for v in self.container.get("env", [])}
        process["args"] = entry + [re.sub(r"\$\((\w+)\)", lambda found: variables[found[1]], a) for a in self.container["args"]]
        process["env"] += [f"{name}={value}" for name, value in variables.items()]
        uid, gid = user or (pod["runAsUser"], pod["runAsGroup"])
        process["user"] = {"uid": uid, "gid": gid, "additionalGids": [pod["fsGroup"]]}
        assert container["capabilities"] == {"drop": ["ALL"]} and pod["seccompProfile"]["type"] == "RuntimeDefault"
        process["capabilities"] = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
        process["noNewPrivileges"] = not container["allowPrivilegeEscalation"]
        config["root"] = {"path": str(self.bundle / "rootfs"), "readonly": container["readOnlyRootFilesystem"]}
        config["hostname"] = "share-drift-exporter-0"
        config["mounts"] = [m for m in config["mounts"] if m["type"] not in ("cgroup", "mqueue")]
        for mount in self.container["volumeMounts"]:
            config["mounts"].append({"destination": mount["mountPath"], "type": "bind", "source": str(volumes[mount["name"]]),
                                     "options": ["rbind", "ro" if mount.get("readOnly") else "rw", "nosuid", "nodev"]})
        linux = config["linux"]
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "network"]
        linux["seccomp"] = seccomp()
        del linux["resources"]
        return config

    def send(self, number):
        """As kubelet does it: to the container's first process."""
        subprocess.run([*self._crun("kill"), self.name, str(int(number))], check=True, timeout=PATIENCE, capture_output=True)

    def kill(self):
        self.send(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self, seconds=PATIENCE, number=signal.SIGTERM):
        """Its exit status. It may take no longer than the grace period."""
        status = super().stop(min(seconds, self.spec["terminationGracePeriodSeconds"]), number)
        subprocess.run([*self._crun("delete"), "--force", self.name], timeout=PATIENCE, capture_output=True)
        return status

    def inner(self):
        """The process id, as it is seen from here."""
        return json.loads(subprocess.run([*self._crun("state"), self.name], check=True, timeout=PATIENCE, capture_output=True,
                                         text=True).stdout)["pid"]

    def execute(self, *words):
        """What is said when a program is run beside the daemon: (exit status, output)."""
        done = subprocess.run([*self._crun("exec"), self.name, *words], timeout=PATIENCE, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def http(self, path, **arguments):
        if self.url.startswith("https"):
            return fetch_tls(self.address, path, **arguments)
        return fetch(self.url + path, **arguments)

    def probe(self, kind):
        """Whether the probe of that name succeeds now, as kubelet asks: without looking at a certificate, and without a user."""
        asked = self.container[kind]["httpGet"]
        if not self.running():
            raise Ended(f"{self.name} ended with {self.process.returncode}: {self.output()[-3000:]}")
        try:
            return 200 <= self.http(asked["path"], timeout=float(self.container[kind].get("timeoutSeconds", 1)))[0] < 400
        except OSError:
            return False


def fetch_tls(address, path, timeout=60.0):
    """(status, headers, body) without looking at the certificate."""
    host, port = address.split(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), timeout) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: tls.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body
