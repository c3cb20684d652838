#!/usr/bin/python3
"""The image runs as the StatefulSet says, under crun: run_image.py SOURCE IMAGE

IMAGE is a layout. Everything is in namespaces of its own: a network that leads nowhere, its mounts, its processes, which end with
this script. Skipped where the kernel allows no container.
"""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Failed, Simulator, certificate, wait_for, workspace  # noqa: E402
from pod import Ended, Pod, Projected, persistent  # noqa: E402

SKIP = 77
SECONDS = 1200
# The shell is process 1 and reaps orphans: a container cannot end while a process that was run in it is unreaped.
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", '"$@"; exit $?', "sh"]
TOOLS = ("crun", "umoci", "unshare", "kubectl")
PARTNER, STRANGER = "1715107400000001", "9999999999999999"
ANYBODY = (1000660000, 0)  # a user that no passwd knows, as OpenShift gives them
ROLE = "acs:ram::1111111111111111:role/reader"
PROVIDER = "acs:ram::1111111111111111:oidc-provider/k8s"
SECOND_KEY = {"id": "second", "secret": "second-secret"}


def expect(holds, what):
    if not holds:
        raise Failed(what)


def stateful_set(source, entrance):
    """What the pods of a kustomization are like."""
    import yaml  # Debian's, for Debian's Python
    rendered = subprocess.run(["kubectl", "kustomize", source / "config/kubernetes" / entrance], check=True, capture_output=True,
                              text=True, timeout=600).stdout
    return next(d for d in yaml.safe_load_all(rendered) if d["kind"] == "StatefulSet")["spec"]["template"]["spec"]


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running


def one_cgroup_tree():
    """crun refuses a machine with both versions of cgroups, though it is told to use none: here is but the newer one."""
    if not pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists():
        subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True, timeout=60)


def config(simulator, images, credentials):
    return (f"profiles:\n  default:\n    endpoint: {simulator.url}\n    sts_endpoint: {simulator.url}\n    credentials: {credentials}\n"
            "poll: {interval: 1s}\nimages:\n" +
            "".join(f"  - {{id: {image}, allowed: [\"{PARTNER}\"]}}\n" for image in images))


def key(name, secret):
    return {"credentials": f"access_key_id={name}\naccess_key_secret={secret}\n"}


class World:
    """The simulator, and the volumes of one pod."""

    def __init__(self, directory, keep, bundle, source):
        self.directory, self.keep, self.bundle, self.source = directory, keep, bundle, source
        token = directory / "token-of-the-cluster"
        token.write_text("the-cluster-signed-this")
        plan = directory / "scenario.json"
        plan.write_text(json.dumps({
            "fleet": {"images": 2, "accounts": 1}, "roles": [{"name": "reader", "rights": ["ens:Describe*"]}],
            "oidc": [{"provider_arn": PROVIDER, "token_file": str(token)}]}))
        self.simulator = keep(Simulator(directory, f"--scenario={plan}"))
        self.group = stateful_set(source, "base")["securityContext"]["fsGroup"]
        self.config = self.projected("config", 0o644, {})
        self.key = self.projected("key", 0o440, key(Simulator.KEY, Simulator.SECRET))
        self.watch("m-sim-1")

    def projected(self, name, mode, files):
        return Projected(self.directory / name, self.group, mode).write(files)

    def watch(self, *images, credentials="{source: static_file, file: /run/secrets/share-drift-exporter/credentials}"):
        self.config.write({"config.yml": config(self.simulator, images, credentials)})

    def pod(self, name, entrance="base", state="state", **more):
        """A pod of that kustomization; its volumes are the folders of their names."""
        folders = {volume: self.directory / volume for volume in ("config", "key", "web")}
        folders["state"] = persistent(self.directory / state, self.group)
        return self.keep(Pod(self.directory, self.bundle, stateful_set(self.source, entrance), {**folders, **more.pop("volumes", {})},
                             name, **more))


def starts(world):
    slow = world.simulator.control("faults", kind="latency", ms=3000)
    pod = world.pod("first")
    wait_for("the liveness probe", lambda: pod.probe("livenessProbe"))
    expect(not pod.probe("readinessProbe"), "ready before the first cycle of polls ended")
    wait_for("the readiness probe", lambda: pod.probe("readinessProbe"))
    world.simulator.control("faults/clear", id=slow["data"]["id"])
    pod.wait_value("share_drift_unexpected_accounts", 0.0, image_id="m-sim-1")
    return pod


def is_confined(pod):
    process = pathlib.Path("/proc", str(pod.inner()))
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    user = pod.spec["securityContext"]
    expect(status["Uid"].split() == [str(user["runAsUser"])] * 4, f"user {status['Uid']}")
    for name, wanted in (("CapPrm", "0"), ("CapEff", "0"), ("CapBnd", "0"), ("NoNewPrivs", "1"), ("Seccomp", "2")):
        expect(status[name].strip("0") == wanted.strip("0"), f"{name} is {status[name]}")
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    expect([m[5].split(",")[0] for m in mounts if m[4] == "/"] == ["ro"], "the root can be written")
    expect({m[4] for m in mounts} >= {m["mountPath"] for m in pod.container["volumeMounts"]}, "a volume is not there")
    for shell in ("sh", "/bin/sh", "bash", "busybox"):
        expect(pod.execute(shell, "-c", "true")[0] != 0, f"there is {shell}")
    code, said = pod.execute("/usr/bin/share-drift-exporter", "--version")
    expect(code == 0, f"the program beside itself: {said}")
    return said.strip()


def reloads(world, pod):
    """By HUP, and by the changed ConfigMap alone."""
    world.watch("m-sim-1", "m-sim-2")
    pod.send(signal.SIGHUP)
    pod.wait_event("config_reloaded")
    pod.wait_value("share_drift_unexpected_accounts", 0.0, image_id="m-sim-2")
    world.watch("m-sim-1")
    wait_for("one image again", lambda: pod.value("share_drift_unexpected_accounts", image_id="m-sim-2") is None)
    expect(pod.value("share_drift_config_last_reload_successful") == 1, "the reload is not counted as good")


def last_request(world):
    return world.simulator.get("requests?limit=1")["data"]["requests"][-1]


def rotates(world, pod):
    world.simulator.control("keys", **SECOND_KEY)
    world.key.write(key(SECOND_KEY["id"], SECOND_KEY["secret"]))
    wait_for("the second key to be used", lambda: last_request(world)["key"] == SECOND_KEY["id"])
    world.simulator.control("keys/disable", id=Simulator.KEY)


def drains(pod):
    host, port = pod.address.split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"GET /metrics HTTP/1.1\r\nHost: {pod.address}\r\n".encode())
        pod.send(signal.SIGTERM)
        connection.sendall(b"Connection: close\r\n\r\n")
        connection.settimeout(60)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    expect(answer.startswith(b"HTTP/1.1 200") and b"share_drift_build_info" in answer, f"a scrape was cut: {answer[:200]}")
    code = pod.stop()
    expect(code == 0, f"SIGTERM ends it with {code}: {pod.output()[-2000:]}")


def since(pod, image):
    return pod.value("share_drift_account_since_timestamp_seconds", image_id=image, account_id=STRANGER)


def keeps_state(world, pod):
    world.simulator.control("share", image="m-sim-1", accounts=[STRANGER])
    pod.wait_value("share_drift_unexpected_accounts", 1.0, image_id="m-sim-1")
    began = since(pod, "m-sim-1")
    pod.wait_event("drift_opened", account_id=STRANGER)
    drains(pod)
    for name in ("killed", "after"):
        pod = world.pod(name)
        pod.wait_value("share_drift_unexpected_accounts", 1.0, image_id="m-sim-1")
        wait_for("the readiness probe", lambda p=pod: p.probe("readinessProbe"))
        expect(since(pod, "m-sim-1") == began, f"{name}: since {since(pod, 'm-sim-1')} instead of {began}")
        expect(not pod.events("drift_opened"), f"{name}: what is known was announced once more")
        if name == "killed":
            pod.kill()
    expect(pod.stop() == 0, "the last one ends badly")


def runs_as_anybody(world):
    pod = world.pod("anybody", state="state-of-anybody", user=ANYBODY)
    wait_for("the readiness probe", lambda: pod.probe("readinessProbe"))
    pod.wait_value("share_drift_state_ok", 1.0)
    expect(pod.stop() == 0, "as anybody it ends badly")


def speaks_tls(world):
    """With TLS and users: the probes need a scheme, and no user."""
    cert, private = certificate(world.directory)
    world.projected("web", 0o440, {"tls.crt": cert.read_text(), "tls.key": private.read_text(), "web.yml": (
        "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\nbasic_auth_users:\n"
        "  prometheus: $2y$10$os71BWaZauznNZgTUvfyIuAa1fe4B44Z5kGpoehW5NYyzrgY8HwaK\n")})
    pod = world.pod("tls", "overlays/tls")
    wait_for("the liveness probe on TLS", lambda: pod.probe("livenessProbe"))
    wait_for("the readiness probe on TLS", lambda: pod.probe("readinessProbe"))
    expect(pod.url.startswith("https:") and pod.http("/metrics")[0] == 401, "metrics without a user")
    expect(pod.stop() == 0, "with TLS it ends badly")


def needs_no_key(world):
    """The overlay for RRSA: a token of the cluster's, and a session for it."""
    world.watch("m-sim-1", credentials=(f'{{source: oidc_role, role_arn: "{ROLE}", oidc_provider_arn: "{PROVIDER}", '
                                        "oidc_token_file: /run/secrets/share-drift-exporter/token}"))
    token = world.projected("token", 0o440, {"token": "the-cluster-signed-this"})
    pod = world.pod("rrsa", "overlays/rrsa", state="state-of-rrsa", volumes={"key": token.folder})
    wait_for("the readiness probe", lambda: pod.probe("readinessProbe"))
    wait_for("a listing by a session", lambda: pod.state("m-sim-1") in ("ok", "drift"))
    expect(last_request(world)["key"].startswith("STS."), "not by a session")
    expect(pod.stop() == 0, "with a token it ends badly")


def inside(source, image):
    signal.alarm(SECONDS)
    loopback_up()
    one_cgroup_tree()
    with workspace() as (directory, keep):
        directory.chmod(0o755)
        bundle = directory / "bundle"
        [name] = subprocess.run(["umoci", "ls", "--layout", image], capture_output=True, text=True, check=True).stdout.split()
        subprocess.run(["umoci", "unpack", "--image", f"{image}:{name}", bundle], check=True, capture_output=True)
        bundle.chmod(0o755)
        world = World(directory, keep, bundle, source)
        try:
            pod = starts(world)
            print(f"ok   started and ready: {is_confined(pod)}", flush=True)
            for what, step in (("reloaded", reloads), ("key rotated", rotates), ("drained, state kept", keeps_state)):
                step(world, pod)
                print(f"ok   {what}", flush=True)
            for what, step in (("any user", runs_as_anybody), ("TLS", speaks_tls), ("no key", needs_no_key)):
                step(world)
                print(f"ok   {what}", flush=True)
        except (Failed, Ended) as failure:
            logs = "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in directory.glob("*.log"))
            sys.exit(f"{failure}\n{logs}")


def why_not():
    """Why no container can be run here; empty where one can."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        return f"a container needs root and {', '.join(missing or TOOLS)}"
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode != 0 else ""


def main():
    if os.environ.get("SHAREDRIFT_INSIDE"):
        inside(*map(pathlib.Path, sys.argv[1:3]))
        return 0
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return SKIP
    return subprocess.run([*NAMESPACES, sys.executable, __file__, *sys.argv[1:]],
                          env={**os.environ, "SHAREDRIFT_INSIDE": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
