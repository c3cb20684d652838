#!/usr/bin/env python3
"""What a configuration names is looked at before anybody is asked: references.py. SHAREDRIFT_BIN_DIR names the programs.

`lint` through the rows `named` of tests/data/field-cases.json; then the start and a reload of the daemon.
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402

ROWS = json.loads((HERE.parent / "data/field-cases.json").read_text())["named"]


def expect(holds, what):
    if not holds:
        raise Failed(what)


def certificate(folder, name, days):
    """NAME.crt and NAME.key; negative: it ended so many days ago."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
               "-days", str(abs(days) if days > 0 else 1), "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"]
    past = [] if days > 0 else ["faketime", f"{1 - days} days ago"]
    subprocess.run([*past, *command], check=True, capture_output=True)
    (folder / f"{name}.key").chmod(0o600)


def profile(folder, line):
    return f"profiles:\n  default: {{{line.replace('DIR', str(folder))}}}\nimages: [{{id: m-1, allowed: []}}]\n"


def set_up(folder, row):
    """The arguments of `lint`."""
    folder.mkdir()
    for name, days in row.get("certificates", {}).items():
        certificate(folder, name, days)
    for name, text in row.get("files", {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.replace("DIR", str(folder)))
    for name, mode in row.get("modes", {}).items():
        (folder / name).chmod(int(mode, 8))
    config = folder / "named.yml"
    config.write_text(profile(folder, row.get("profile", "")))
    arguments = ["lint", f"--config.file={config}", *row.get("flags", [])]
    if "web" in row:
        arguments.append(f"--web.config.file={folder}/web.yml")
        if row["web"]:
            web = re.sub(r"PEM\((\S+?)\)", lambda file: json.dumps((folder / file[1]).read_text()), row["web"])
            (folder / "web.yml").write_text(f"# doors\ntls_server_config: {{{web}}}\n")
    return arguments


def lint_names_everything(folder):
    for number, row in enumerate(ROWS):
        place = folder / f"row{number}"
        code, out, err = run(*set_up(place, row), env=row.get("variables", {}))
        told = out + err
        expect(code == row["code"], f"{row['what']}: exit {code}, not {row['code']}\n{told}")
        for words in row["says"]:
            expect(words.replace("DIR", str(place)) in told, f"{row['what']}: no {words!r} in\n{told}")
        expect(row["says"] or not told, f"{row['what']}: nothing is wrong, and it says\n{told}")
        expect("hush" not in told, f"{row['what']}: a secret in\n{told}")
    open_to_all = folder / "open"
    open_to_all.mkdir()
    config = folder / "state.yml"
    config.write_text(profile(folder, ""))
    lint = ("lint", f"--config.file={config}", f"--storage.path={open_to_all}/state.db")
    for mode, code in ((0o777, 1), (0o1777, 1), (0o775, 0), (0o700, 0)):
        open_to_all.chmod(mode)
        seen, out, _ = run(*lint)
        expect(seen == code and ("others can write here" in out) == bool(code), f"a state folder of mode {mode:o}: exit {seen}\n{out}")
    print(f"ok   lint: {len(ROWS)} rows, four modes of a state folder")


def every_command_refuses(folder):
    config = folder / "missing.yml"
    config.write_text(profile(folder, "ca_file: DIR/none.pem"))
    for command in (["run"], ["run", "--config.check"], ["check"], ["plan"], ["baseline"], ["doctor"]):
        code, out, err = run(*command, f"--config.file={config}")
        expect(code == 2 and f"{config}:2:" in err and "none.pem" in err, f"{command}: exit {code}\n{out}{err}")
    print("ok   every command refuses a CA file that is missing, with exit 2")


def the_daemon_says_it(folder, own):
    sim = own(Simulator(folder))
    sim.control("images", id="m-1")  # an account without images is warned of, too
    reach = f'endpoint: "{sim.url}", sts_endpoint: "{sim.url}", credentials: {{source: environment}}'
    certificate(folder, "soon", 20)
    (folder / "web.yml").write_text("tls_server_config: {cert_file: soon.crt, key_file: soon.key}\n")
    (folder / "web.yml").chmod(0o600)
    state = folder / "state"
    state.mkdir()
    state.chmod(0o777)  # whatever the umask is
    config = profile(folder, f"{reach}, ca_file: DIR/soon.crt") + "poll: {interval: 1s}\n"
    tls = own(Daemon(folder, config, f"--web.config.file={folder}/web.yml", f"--storage.path={state}/tls.db", name="tls",
                     wait=False))
    for key in ("profiles.default.ca_file", "tls_server_config.cert_file"):
        wait_for(key, lambda key=key: any(key in e["reason"] and "in 19 days" in e["reason"] for e in tls.events("config_warning", level="warn")))
    wait_for("the state folder", lambda: any(f"{state}: warning: others can write here" in e["reason"]
                                             for e in tls.events("config_warning")))
    tls.stop()
    lost = own(Daemon(folder, profile(folder, reach), f"--storage.path={folder}/absent/state.db", name="absent"))
    reason = lost.wait_event("state_rejected")["reason"]
    expect("make it, or name another file with --storage.path" in reason, reason)
    code, _, body = lost.http("/api/v1/events")
    expect(code == 503 and b"cannot be made; the log says which" in body, f"{code} {body}")
    lost.stop()
    daemon = own(Daemon(folder, profile(folder, reach) + "poll: {interval: 1s}\n", name="reload"))
    expect(not daemon.events("config_warning"), daemon.output())
    daemon.write_config(profile(folder, f"{reach}, ca_file: DIR/none.pem"))
    daemon.send(1)
    reason = daemon.wait_event("config_rejected")["reason"]
    expect("none.pem" in reason and ":2:" in reason, reason)
    daemon.wait_value("share_drift_config_last_reload_successful", 0)
    expect(daemon.running(), "it goes on with what it had")
    print("ok   the daemon warns at its start, and refuses a reload")


def main():
    with workspace() as (folder, own):
        folder = pathlib.Path(folder)
        lint_names_everything(folder)
        every_command_refuses(folder)
        the_daemon_says_it(folder, own)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
