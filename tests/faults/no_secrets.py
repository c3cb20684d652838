#!/usr/bin/env python3
"""No secret gets out: no_secrets.py

Keys, tokens and passwords that occur nowhere else are put in by every way there is, and everything that comes out again is
searched for them, also in the forms they take on the wire: outputs, logs in both formats at level debug, every page, the state
database, the command line, messages about broken files, and what a crash leaves behind.
"""
import base64
import json
import os
import pathlib
import resource
import secrets
import signal
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, fetch, run, wait_for, workspace  # noqa: E402

IMAGE, STRANGER = "m-secret", "4242424242424242"
PAGES = ["/", "/metrics", "/config", "/api/v1/images", f"/api/v1/images/{IMAGE}", "/api/v1/drift", "/api/v1/events", "/-/ready",
         "/nothing", "/assets/app.js"]


class Secrets:
    """Makes secrets and finds them again."""

    def __init__(self):
        self.made = {}
        self.searched = 0

    def new(self, name, prefix=""):
        self.made[name] = prefix + "Zq+/" + secrets.token_hex(16)  # characters that encodings change
        return self.made[name]

    def forms(self, value):
        raw = value.encode()
        yield from (raw, raw[::-1], raw.hex().encode(), urllib.parse.quote(value, safe="").encode(),
                    json.dumps(value)[1:-1].encode(), value.replace("/", "\\/").encode())
        for shift in range(3):  # base64 in the middle of something: the alignment is unknown
            yield base64.b64encode(b"\0" * shift + raw)[4:-8]

    def search(self, where, data):
        data = data if isinstance(data, bytes) else data.encode(errors="replace")
        self.searched += len(data)
        for name, value in self.made.items():
            for form in self.forms(value):
                if form in data:
                    at = data.index(form)
                    raise Failed(f"{name} is in {where}: ...{data[max(0, at - 80):at]!r}")
        for word in (b"Signature=", b"StringToSign", b"string-to-sign", b"ACS3-HMAC-SHA256 "):
            if word in data:
                raise Failed(f"{where} has a signature or what it is made of: {word!r}")


def files_of(directory):
    """What the daemon left in its directory. Its config is ours, and may hold a proxy's password."""
    return [path for path in directory.rglob("*") if path.is_file() and path.suffix != ".yml"]


def config(endpoint, credentials, more=""):
    return (f'profiles:\n  default: {{endpoint: "{endpoint}", sts_endpoint: "{endpoint}", allow_any_endpoint: true, '
            f"requests_per_second: 0, timeout: 700ms, max_attempts: 2, credentials: {credentials}{more}}}\n"
            f"poll: {{interval: 1s}}\nimages:\n  - {{id: {IMAGE}, allowed: []}}\n")


def ways_in(inputs, made):
    """(name, credentials of the config, more keys of the profile, environment)"""
    key_file = inputs / "aliyun"
    key_file.write_text(f"access_key_id={Simulator.KEY}\naccess_key_secret={made.made['key']}\n")
    key_file.chmod(0o600)
    cli = inputs / "cli.json"
    cli.write_text(json.dumps({"current": "main", "profiles": [{"name": "main", "mode": "AK", "access_key_id": Simulator.KEY,
                                                               "access_key_secret": made.made["key"], "region_id": "cn-hangzhou"}]}))
    cli.chmod(0o600)
    environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": Simulator.KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": made.made["key"]}
    session = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.session", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": made.made["session secret"],
               "ALIBABA_CLOUD_SECURITY_TOKEN": made.made["session token"]}
    role = "{source: ram_role, role_arn: \"acs:ram::1111111111111111:role/reader\", from: {source: environment}}"
    proxy = f", proxy_url: \"http://user:{made.made['proxy password'].replace('+', '%2B').replace('/', '%2F')}@127.0.0.1:1\""
    return [("environment", "{source: environment}", "", environment), ("session", "{source: environment}", "", session),
            ("file", f'{{source: static_file, file: "{key_file}"}}', "", {}),
            ("cli", f'{{source: cli_profile, file: "{cli}"}}', "", {}), ("role", role, "", environment),
            ("proxy", "{source: environment}", proxy, environment)]


FAULTS = [dict(kind="error", code="SignatureDoesNotMatch"), dict(kind="error", code="InvalidAccessKeyId.NotFound"),
          dict(kind="html"), dict(kind="reset"), dict(kind="redirect"), dict(kind="code_on_success")]


def live_through(directory, simulator, made, way, log_format):
    """A daemon in good times and bad, with a web door that knows passwords; then it crashes."""
    name, credentials, more, environment = way
    place = directory / f"{name}-{log_format}"
    place.mkdir()
    web = directory / f"web-{name}-{log_format}.yml"
    # "password" as bcrypt; the secret is sent to the door as a wrong one.
    web.write_text("basic_auth_users:\n  reader: $2y$04$QNGL/L5YVQ4Gm3Rq5DCh8.xr.bKnGF9kDDTc0FKeopRYfHhEar4uu\n")
    web.chmod(0o600)
    daemon = Daemon(place, config(simulator.url, credentials, more), f"--log.format={log_format}", "--log.level=debug",
                    f"--web.config.file={web}", "--web.enable-lifecycle", key=None, env=environment, wait=False,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    try:
        wait_for("the door", lambda: daemon.http("/-/healthy")[0] == 200)
        time.sleep(1.2)
        for fault in FAULTS:
            simulator.control("faults", **fault)
            time.sleep(0.4)
            simulator.control("faults/clear")
        wrong = {"Authorization": "Basic " + base64.b64encode(f"reader:{made.made['web password']}".encode()).decode()}
        for page in PAGES:
            for headers in ({}, wrong):
                status, answered, body = daemon.http(page, headers=headers)
                made.search(f"{name}: {page}", body + str(answered).encode())
        daemon.write_config("profiles: [")
        made.search("a refused reload", daemon.http("/-/reload", data=b"", method="POST", headers=wrong)[2])
        made.search("argv", pathlib.Path(f"/proc/{daemon.pid}/cmdline").read_bytes())
        limits = pathlib.Path(f"/proc/{daemon.pid}/limits").read_text()
        if [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")] != [["0", "0"]]:
            raise Failed("core dumps are allowed")
        number = signal.SIGSEGV if log_format == "json" else signal.SIGABRT
        daemon.send(number)
        _, status = os.waitpid(daemon.pid, 0)
        daemon.process.returncode = -number
        if not os.WIFSIGNALED(status) or os.WCOREDUMP(status):
            raise Failed(f"the crash ended with {status:#x}, a core dump or none at all")
    finally:
        daemon.stop()
    for path in files_of(place):
        made.search(f"{name}: {path.name}", path.read_bytes())
    return place


def open_pages(directory, simulator, made, way):
    """The same without a door, so that every page is really seen."""
    name, credentials, more, environment = way
    place = directory / f"{name}-open"
    place.mkdir()
    daemon = Daemon(place, config(simulator.url, credentials, more), "--log.level=debug", key=None, env=environment)
    try:
        if name != "proxy":
            wait_for("drift", lambda: daemon.value("share_drift_unexpected_accounts", image_id=IMAGE) == 1)
        for page in PAGES:
            for accept in ("*/*", "application/openmetrics-text;version=1.0.0"):
                made.search(f"{name}: {page}", daemon.http(page, headers={"Accept": accept})[2])
        if b"images" not in daemon.http("/config")[2]:
            raise Failed("/config shows nothing")
    finally:
        daemon.stop()
    for path in files_of(place):
        made.search(f"{name}: {path.name}", path.read_bytes())
    for command in (["check", "--format=table"], ["check", "--format=json"], ["check", "--format=sarif"],
                    ["check", "--format=prometheus"], ["plan"], ["baseline"], ["doctor"], ["lint"], ["lint", "--online"]):
        code, out, err = run(*command, f"--config.file={daemon.config}", key=None, env=environment)
        made.search(f"{name}: {command} ({code})", out + err)
    made.search("history", "".join(run("history", f"--storage.path={place / 'daemon.db'}")[1:]))


def broken_inputs(inputs, directory, simulator, made):
    """Files whose contents are secrets and which cannot be understood: the message must not quote them."""
    key = made.made["key"]
    for number, text in enumerate([f"{key}\n", f"access_key_secret={key}\n", f"access_key_id={key} {key}\naccess_key_secret=\n",
                                   f"access_key_id=a\naccess_key_secret={key}\n{key}={key}\n", f"{{\"access\": \"{key}", key * 2000]):
        for source in ("static_file", "cli_profile", "profile_ini"):
            path = inputs / f"broken-{number}-{source}"
            path.write_text(text)
            path.chmod(0o600)
            file = directory / f"broken-{number}-{source}.yml"
            file.write_text(config(simulator.url, f'{{source: {source}, file: "{path}"}}'))
            file.chmod(0o644)
            code, out, err = run("check", f"--config.file={file}", key=None)
            if code != 3 or not out + err:
                raise Failed(f"a broken {source} ended with {code}")
            made.search(f"a broken {source}", out + err)
    # Where people put secrets although they must not: the config refuses them, and does not repeat them.
    for line in (f"    access_key_secret: {key}\n", f"    credentials: {{source: environment, secret: {key}}}\n",
                 f"    proxy_url: \"http://u:{key}@\"\n", f"    endpoint: \"https://u:{key}@ens.aliyuncs.com\"\n"):
        file = directory / "misplaced.yml"
        file.write_text(f"profiles:\n  default:\n{line}images:\n  - {{id: m-1, allowed: []}}\n")
        file.chmod(0o644)
        code, out, err = run("--config.check", f"--config.file={file}")
        if code != 2:
            raise Failed(f"taken: {line}")
        made.search("the refusal of a misplaced secret", out + err)
    code, out, err = run("run", f"--access-key-secret={key}")
    if code != 2:
        raise Failed("a secret as a flag was taken")
    made.search("the refusal of a flag", out + err)
    code, out, err = run("check", "--access-key-secret", key)
    made.search("the refusal of a flag", out + err)


def main():
    with workspace() as (top, keep):
        inputs, directory = top / "inputs", top / "outputs"
        inputs.mkdir(mode=0o700)
        directory.mkdir()
        made = Secrets()
        for name in ("key", "session secret", "session token", "proxy password", "web password"):
            made.new(name)
        simulator = keep(Simulator(top, env={"ENS_SIMULATOR_ACCESS_KEY_SECRET": made.made["key"]}))
        simulator.control("keys", id="STS.session", secret=made.made["session secret"], token=made.made["session token"])
        simulator.control("roles", name="reader", rights=["ens:Describe*"])
        simulator.control("images", id=IMAGE, accounts=[STRANGER])
        ways = ways_in(inputs, made)
        for number, way in enumerate(ways):
            open_pages(directory, simulator, made, way)
            live_through(directory, simulator, made, way, "logfmt" if number % 2 else "json")
            print(f"{way[0]}: nothing came out", flush=True)
        broken_inputs(inputs, directory, simulator, made)
        if fetch(simulator.url + "/_sim/requests")[0] != 200 or made.searched < 1_000_000:
            raise Failed(f"too little was searched: {made.searched} bytes")
        print(f"{made.searched} bytes searched for {len(made.made)} secrets in {len(list(made.forms('x' * 16)))} forms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
