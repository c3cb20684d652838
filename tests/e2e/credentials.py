#!/usr/bin/env python3
"""Every credential source through the real program against ens-simulator: credentials.py BUILD_DIR.

Three parts: the same variables and files give the same key as Alibaba's published library; each source works, alone and in
chains; the running daemon survives rotation, expiry, rejection and outage. At the end no output may hold a secret.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
sys.path.insert(0, str(HERE))
from harness import PATIENCE, Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402
from harness.npm import install  # noqa: E402

IMAGE = "m-sim-1"
LOAD = 40  # images, each polled once a second
ACCOUNT = "1715107400000001"
ROLE = "acs:ram::1111111111111111:role/"
PROVIDER = "acs:ram::1111111111111111:oidc-provider/k8s"
HUSH = "hushhush"  # in every secret of these tests
KEYS = ["env", "cli", "cli-two", "ini", "ini-two", "external", "file", "file-two"]


def secret(key):
    return f"{HUSH}-{key}"


def scenario(token_file):
    return {
        "fleet": {"images": LOAD, "accounts": 1},
        "keys": [{"id": key, "secret": secret(key)} for key in KEYS] +
                [{"id": "STS.token", "secret": secret("sts"), "token": f"{HUSH}-token"}],
        "roles": [{"name": "reader", "rights": ["ens:Describe*", "sts:AssumeRole"]},
                  {"name": "second", "rights": ["ens:Describe*"], "external_id": "e-1"},
                  {"name": "sim-role", "rights": ["ens:Describe*"]}],
        "oidc": [{"provider_arn": PROVIDER, "token_file": str(token_file)}],
    }


def cli_config(*profiles, current="main"):
    return json.dumps({"current": current, "profiles": list(profiles), "meta_path": ""}, indent=2)


def cli_profile(key, mode="AK", name="main", **more):
    return {"name": name, "mode": mode, "access_key_id": key, "access_key_secret": secret(key), "region_id": "cn-hangzhou",
            "output_format": "json", "language": "en", **more}


def ini(*sections):
    return "\n".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) for name, values in sections)


def ini_key(key):
    return {"enable": "true", "type": "access_key", "access_key_id": key, "access_key_secret": secret(key)}


def key_lines(key):
    return f"access_key_id={key}\naccess_key_secret={secret(key)}\n"


class Bench:
    def __init__(self, directory, simulator, modules):
        self.directory, self.simulator, self.modules = directory, simulator, modules
        self.outputs = []  # everything that people can see
        self.homes = 0

    def home(self, files):
        """A fresh home with these files, modes as the tools leave them."""
        self.homes += 1
        home = self.directory / f"home{self.homes}"
        home.mkdir()
        for name, text in files.items():
            self.write(home / name, text)
        return home

    @staticmethod
    def write(path, text, mode=0o600):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text)
        fresh.chmod(mode)
        os.replace(fresh, path)
        return path

    def config(self, credentials="{source: default}", interval="5m", images=1):
        return (f"profiles:\n  default:\n    endpoint: {self.simulator.url}\n    sts_endpoint: {self.simulator.url}\n"
                f"    credentials: {credentials}\n    requests_per_second: 0\npoll: {{interval: {interval}}}\nimages:\n"
                + "".join(f"  - {{id: m-sim-{n}, allowed: [\"{ACCOUNT}\"]}}\n" for n in range(1, images + 1)))

    def requests(self):
        return self.simulator.get("requests?limit=1000")["data"]["requests"]

    def check(self, home, credentials="{source: default}", **variables):
        """Polls once: (exit code, the key that was used, the actions, stderr)."""
        path = self.write(home / "config.yml", self.config(credentials), 0o644)
        self.simulator.control("requests/clear")
        code, out, err = run("check", f"--config.file={path}", key=None,
                             env={"HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **variables})
        self.outputs += [out, err]
        seen = self.requests()
        keys = {r["key"] for r in seen if r["action"] == "DescribeImageSharePermission"}
        return code, (keys.pop() if len(keys) == 1 else sorted(keys)), [r["action"] for r in seen], out + err

    def library(self, home, **variables):
        """The key that Alibaba's library finds."""
        done = subprocess.run(["node", HERE / "credentials.js"], capture_output=True, text=True, timeout=PATIENCE,
                              env={"PATH": os.environ["PATH"], "MODULES": str(self.modules), "HOME": str(home),
                                   "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", "no_proxy": "*", **variables})
        if done.returncode != 0:
            raise Failed(f"the library found nothing: {done.stderr}")
        return json.loads(done.stdout)

    def expect(self, what, home, key, credentials="{source: default}", says="", **variables):
        code, used, actions, text = self.check(home, credentials, **variables)
        good = code == 0 and (used.startswith(key) if isinstance(used, str) else False) and says in text
        if not good:
            raise Failed(f"{what}: exit {code}, key {used!r} instead of {key!r}, actions {actions}, said {text}")
        print(f"ok   {what}")
        return actions


def same_as_the_library(bench):
    environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret("env")}
    session = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.token", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret("sts"),
               "ALIBABA_CLOUD_SECURITY_TOKEN": f"{HUSH}-token"}
    cli, conf = ".aliyun/config.json", cli_config
    creds = ".alibabacloud/credentials"
    printed = json.dumps({"mode": "AK", "access_key_id": "external", "access_key_secret": secret("external")})
    program = bench.write(bench.directory / "print-key", f"#!/bin/sh\necho '{printed}'\n", 0o700)
    token = {"access_key_id": "STS.token", "access_key_secret": secret("sts"), "sts_token": f"{HUSH}-token"}
    cases = [
        ("variables", {}, environment),
        ("variables with a session token", {}, session),
        ("variables before files", {cli: conf(cli_profile("cli"))}, environment),
        ("CLI profile AK", {cli: conf(cli_profile("cli"))}, {}),
        ("CLI profile StsToken", {cli: conf({**cli_profile("x", "StsToken"), **token})}, {}),
        ("CLI profile External", {cli: conf({"name": "main", "mode": "External", "process_command": str(program)})}, {}),
        ("CLI profile by variable", {cli: conf(cli_profile("cli"), cli_profile("cli-two", name="two"))},
         {"ALIBABA_CLOUD_PROFILE": "two"}),
        ("CLI profile current", {cli: conf(cli_profile("cli"), cli_profile("cli-two", name="two"), current="two")}, {}),
        ("CLI profile before ini", {cli: conf(cli_profile("cli")), creds: ini(("default", ini_key("ini")))}, {}),
        ("CLI profile switched off", {cli: conf(cli_profile("cli")), creds: ini(("default", ini_key("ini")))},
         {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "TRUE"}),
        ("CLI file broken", {cli: "{", creds: ini(("default", ini_key("ini")))}, {}),
        ("CLI profile unknown", {cli: conf(cli_profile("cli"), current="gone"), creds: ini(("default", ini_key("ini")))}, {}),
        ("ini", {creds: ini(("default", ini_key("ini")))}, {}),
        ("ini section by variable", {creds: ini(("default", ini_key("ini")), ("two", ini_key("ini-two")))},
         {"ALIBABA_CLOUD_PROFILE": "two"}),
        ("ini with comments", {creds: "# one\n; two\n\n" + ini(("default", ini_key("ini")))}, {}),
        ("ini elsewhere", {"elsewhere.ini": ini(("default", ini_key("ini")))}, {"ALIBABA_CLOUD_CREDENTIALS_FILE": "elsewhere.ini"}),
        ("credentials URI last", {}, {"ALIBABA_CLOUD_CREDENTIALS_URI": f"{bench.simulator.url}/credentials"}),
    ]
    for what, files, variables in cases:
        home = bench.home(files)
        variables = {k: str(home / v) if v == "elsewhere.ini" else v for k, v in variables.items()}
        theirs = bench.library(home, **variables)
        # The simulator lets in nobody whose secret or token is another one.
        bench.expect(f"same key as the library: {what}", home, theirs["id"], **variables)


def field_cases(bench):
    """What people met: the right answer is the library's, or the row says why not."""
    for row in json.loads((HERE.parent / "data/field-cases.json").read_text())["credentials"]:
        why_not = row.get("library", "")
        if why_not.startswith("needs"):
            continue
        home = bench.home(row.get("files", {}))
        variables = {k: v.replace("HOME/", f"{home}/") for k, v in row.get("variables", {}).items()}
        try:
            theirs = bench.library(home, **variables)
        except Failed:
            theirs = {"id": "", "secret": ""}
        right = (row["id"], row.get("secret", "hush-secret")) if "id" in row else ("", "")
        if ((theirs["id"], theirs["secret"]) == right) == bool(why_not):
            raise Failed(f"{row['case']} {row['what']}: the library says {theirs}, and the row {right} {why_not}")
        print(f"ok   {row['case']} {row['what']}" + (f": not as the library, {why_not}" if why_not else ": as the library"))


def every_source(bench, token_file):
    sim = bench.simulator
    environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret("env")}
    home = bench.home({"key": key_lines("file"), "aliyun": key_lines("file-two"),
                       "roles.json": cli_config(cli_profile("cli", "RamRoleArn", ram_role_arn=ROLE + "reader"),
                                                {"name": "chain", "mode": "ChainableRamRoleArn", "source_profile": "main",
                                                 "ram_role_arn": ROLE + "second", "external_id": "e-1"})})
    key, roles = home / "key", home / "roles.json"
    bench.expect("static_file", home, "file", f"{{source: static_file, file: {key}}}")
    key.chmod(0o644)
    bench.expect("static_file that all can read", home, "file", f"{{source: static_file, file: {key}}}",
                 says="can be read by everybody (mode 0644)")
    bench.expect("systemd's directory", home, "file-two", "{source: static_file}", CREDENTIALS_DIRECTORY=str(home))
    bench.expect("ram_role", home, "STS.", f"{{source: ram_role, role_arn: \"{ROLE}reader\", from: {{source: environment}}}}",
                 **environment)
    actions = bench.expect(
        "ram_role of a ram_role, external id", home, "STS.",
        f"{{source: ram_role, role_arn: \"{ROLE}second\", external_id: e-1, from: {{source: ram_role, "
        f"role_arn: \"{ROLE}reader\", from: {{source: environment}}}}}}", **environment)
    if actions[:2] != ["AssumeRole", "AssumeRole"]:
        raise Failed(f"not chained: {actions}")
    bench.expect("CLI RamRoleArn", home, "STS.", f"{{source: cli_profile, file: {roles}}}")
    bench.expect("CLI ChainableRamRoleArn", home, "STS.", f"{{source: cli_profile, file: {roles}, profile: chain}}")
    bench.expect("oidc_role", home, "STS.", f"{{source: oidc_role, role_arn: \"{ROLE}reader\", oidc_provider_arn: \"{PROVIDER}\","
                 f" oidc_token_file: {token_file}}}")
    rrsa = {"ALIBABA_CLOUD_ROLE_ARN": ROLE + "reader", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(token_file)}
    bench.expect("oidc_role in the default chain", home, "STS.", **rrsa)
    imds = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "false"}
    metadata = f"{{source: ecs_ram_role, metadata_endpoint: \"{sim.url}\"}}"
    actions = bench.expect("ecs_ram_role", home, "STS.", metadata, **imds)
    if actions[:3] != ["Metadata.Token", "Metadata.Role", "Metadata.Credentials"]:
        raise Failed(f"not version 2: {actions}")
    sim.control("behaviour", metadata_v1=False)
    bench.expect("ecs_ram_role without version 1", home, "STS.", metadata, **imds)
    sim.control("behaviour", metadata_v1=True)
    bench.expect("credentials_uri", home, "STS.", f"{{source: credentials_uri, uri: \"{sim.url}/credentials\"}}")

    code, used, actions, text = bench.check(home, f"{{source: ram_role, role_arn: \"{ROLE}none\"}}", **environment)
    if code != 3 or "EntityNotExist.Role" not in text or "check role_arn" not in text:
        raise Failed(f"a role that is none: {code} {text}")
    code, used, actions, text = bench.check(home)
    if code != 3 or used or "no credentials; tried environment (ALIBABA_CLOUD_ACCESS_KEY_ID is not set)" not in text:
        raise Failed(f"nothing at all: {code} {used} {text}")
    print("ok   what is wrong is said")


@contextlib.contextmanager
def daemon(bench, own, name, credentials, images=1, **variables):
    d = own(Daemon(bench.directory, bench.config(credentials, "1s", images), name=name, key=None,
                   env={"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **variables}))
    yield d
    bench.outputs += [d.http(path)[2].decode() for path in ("/metrics", "/config", "/", "/api/v1/images")]
    d.stop()
    bench.outputs.append(d.output())


def await_state(d, state):
    wait_for(f"{d.name} to be {state}", lambda: d.state(IMAGE) == state)


def failures(d):
    return sum(value for (name, _), value in d.metrics().items() if name == "share_drift_listing_failures_total")


def rotation(bench, own):
    key = bench.write(bench.directory / "rotated-key", key_lines("file"))
    with daemon(bench, own, "rotation", f"{{source: static_file, file: {key}}}") as d:
        await_state(d, "ok")
        bench.write(key, key_lines("file-two"))
        wait_for("the new key to be used", lambda: bench.requests()[-1]["key"] == "file-two")
        bench.simulator.control("keys/disable", id="file-two")
        await_state(d, "forbidden")
        bench.write(key, key_lines("file"))
        await_state(d, "ok")
        key.unlink()
        time.sleep(2.5)  # two polls: a key that was taken away serves on
        await_state(d, "ok")
        if d.value("share_drift_credentials_refresh_failures_total", profile="default") < 1:
            raise Failed("the missing file was not counted")
        d.wait_event("credentials_warning", source="static_file")
        bench.write(key, key_lines("file"))
        d.wait_event("credentials_recovered", source="static_file")
        bench.simulator.control("keys/enable", id="file-two")
    print("ok   a file is rotated, refused, removed and restored under the running daemon")


def absence(bench, own):
    key = bench.directory / "late-key"
    with daemon(bench, own, "absence", f"{{source: static_file, file: {key}}}") as d:
        await_state(d, "unreachable")
        if not d.value("share_drift_listing_failures_by_reason_total", reason="credentials"):
            raise Failed("the reason is not credentials")
        if any(r["key"] == "" and r["action"] == "DescribeImageSharePermission" for r in bench.requests()):
            raise Failed("something was sent unsigned")
        bench.write(key, key_lines("file"))
        await_state(d, "ok")
        if d.value("share_drift_credentials_info", source="static_file") != 1:
            raise Failed("the source in force is not told")
        age = time.time() - d.value("share_drift_credentials_obtained_timestamp_seconds", profile="default")
        if not -1 < age < 60:
            raise Failed(f"the age is {age}")
    print("ok   a key that comes late is found")


def sessions(bench, own):
    sim = bench.simulator
    sim.control("behaviour", metadata_session_seconds=8)
    with daemon(bench, own, "sessions", f"{{source: ecs_ram_role, metadata_endpoint: \"{sim.url}\"}}", LOAD,
                ALIBABA_CLOUD_ECS_METADATA_DISABLED="false") as d:
        await_state(d, "ok")
        sim.control("requests/clear")
        used = lambda: {r["key"] for r in bench.requests() if r["action"] == "DescribeImageSharePermission"}  # noqa: E731
        wait_for("three sessions to be used", lambda: len(used()) >= 3)
        if failures(d) != 0:
            raise Failed(f"{failures(d)} polls failed although credentials were renewed ahead of their end")
        if not d.value("share_drift_credentials_expiry_timestamp_seconds", profile="default") > time.time() - 1:
            raise Failed("the expiry is not told")
        sim.control("behaviour", metadata_session_seconds=3600)
        # A short one that was fetched before may be used first: its end would be the fault, not the refusal.
        ends = lambda: d.value("share_drift_credentials_expiry_timestamp_seconds", profile="default")  # noqa: E731
        wait_for("a long session", lambda: ends() > time.time() + 600)
        sim.control("requests/clear")
        wait_for("it to be used", used)
        current = bench.requests()[-1]["key"]
        sim.control("keys/expire", id=current)
        sim.control("keys/disable", id=current)
        wait_for("another session after the refusal", lambda: bench.requests()[-1]["key"] not in ("", current))
        await_state(d, "ok")
        if failures(d) != 0:
            raise Failed("a refused session cost a poll instead of a retry")
        sim.control("behaviour", metadata_role="")
        current = bench.requests()[-1]["key"]
        sim.control("keys/disable", id=current)
        await_state(d, "forbidden")
        sim.control("behaviour", metadata_role="sim-role")
        await_state(d, "ok")
    print("ok   sessions are renewed ahead, after a refusal and after an outage")


def no_secret(bench):
    for text in bench.outputs:
        if HUSH in text:
            at = text.index(HUSH)
            raise Failed(f"a secret was shown: ...{text[max(0, at - 200):at]}")
    print(f"ok   no secret in {sum(map(len, bench.outputs))} bytes of output")


def main():
    modules = install(HERE, pathlib.Path(sys.argv[1]).resolve())
    with workspace() as (directory, own):
        token_file = Bench.write(directory / "oidc-token", f"{HUSH}-jwt\n")
        plan = Bench.write(directory / "scenario.json", json.dumps(scenario(token_file)))
        simulator = own(Simulator(directory, f"--scenario={plan}"))
        bench = Bench(directory, simulator, modules)
        try:
            same_as_the_library(bench)
            field_cases(bench)
            every_source(bench, token_file)
            absence(bench, own)
            rotation(bench, own)
            sessions(bench, own)
            no_secret(bench)
        except Failed as failure:
            logs = "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in directory.glob("*.log"))
            sys.exit(f"{failure}\n{logs}")


if __name__ == "__main__":
    main()
