#!/usr/bin/env python3
"""The one-shot commands as a user meets them: commands.py. SHAREDRIFT_BIN_DIR names the programs.

They judge as the daemon does, their output is there as a whole or they fail, and usage is checked before anything else.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import BIN, PATIENCE, Daemon, Failed, Simulator, workspace  # noqa: E402

CONFIG = """\
profiles:
  default: {endpoint: "%s", requests_per_second: 0, max_attempts: 1, credentials: {source: environment}}
groups:
  partners: ["5555555555555555"]
images:
  - {id: m-canary, allowed: [], canary: true, team: platform}
  - id: m-rich
    name: edge-base
    team: edge-os
    severity: page
    interval: 1m
    required: ["2222222222222222"]
    allowed: [group:partners]
    exceptions:
      - {account: "3333333333333333", expires: 2099-12-31, owner: jane, ticket: SEC-12, reason: "pilot: with #1"}
      - {account: "4444444444444444", expires: 2020-01-01, owner: jane, ticket: SEC-9, reason: over}
  - {id: m-plain, allowed: []}
"""
STRANGER = "6666666666666666"


def check(holds, what):
    if not holds:
        raise Failed(what)


class Operator:
    def __init__(self, folder, simulator):
        self.folder = pathlib.Path(folder)
        self.simulator = simulator
        self.config = self.write("config.yml", CONFIG % simulator.url)
        self.environment = {"PATH": os.environ["PATH"], "ALIBABA_CLOUD_ACCESS_KEY_ID": Simulator.KEY,
                            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": Simulator.SECRET}

    def write(self, name, text):
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o644)
        return file

    def run(self, *arguments, stdout=subprocess.PIPE):
        done = subprocess.run([BIN / "share-drift-exporter", *map(str, arguments)], stdout=stdout, stderr=subprocess.PIPE, text=True,
                              timeout=PATIENCE, env=self.environment, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def expect(self, code, *arguments):
        got, out, err = self.run(*arguments)
        check(got == code, f"{arguments}: exit {got}, not {code}\n{out}{err}")
        return out + err


def judges_as_the_daemon_does(operator):
    config = f"--config.file={operator.config}"
    table = operator.expect(1, "check", config)
    unwatched = "1 image of the account of profile default is not watched: m-new"
    check(unwatched in table, table)
    check("unexpected: 4444444444444444" in table and f"unexpected: {STRANGER}" in table, table)
    check("Next: share-drift-exporter plan," in table, table)
    check("1111111111111111" not in table, f"the canary's account is no finding:\n{table}")
    for form in ("table", "json", "sarif", "prometheus"):
        operator.expect(0, "check", config, f"--format={form}", "--image", "m-canary")
    page = operator.expect(0, "check", config, "--format=prometheus", "--image", "m-canary")
    check(re.search(r'^share_drift_build_info\{.*version="', page, re.M), f"the rules know an exporter by its version:\n{page}")
    page = operator.expect(1, "check", config, "--format=prometheus")
    for sample in ('complete{profile="default"} 1', 'unwatched_images{profile="default"} 1'):
        check(f"share_drift_inventory_{sample}\n" in page, f"{sample} is not there:\n{page}")
    plan = operator.expect(1, "plan", config)
    check(f"--ImageId m-plain" in plan and f"--RemoveAccounts {STRANGER}" in plan, plan)
    check("m-canary" not in plan, f"the plan silences the canary:\n{plan}")


def baseline_adopted_is_in_sync(operator):
    baseline = operator.expect(0, "baseline", f"--config.file={operator.config}")
    head = operator.config.read_text().split("images:")[0]
    written = operator.write("written.yml", head + baseline)
    check("owner" in operator.expect(2, "lint", f"--config.file={written}"), "an empty owner is refused")
    adopted = operator.write("adopted.yml", head + re.sub(r': ""', ": jane", baseline))
    for kept in ("canary: true", "team: platform", "severity: page", "interval: 1m", "group:partners", "pilot: with #1"):
        check(kept in baseline, f"{kept} is lost:\n{baseline}")
    check("1111111111111111" not in baseline, f"the canary's account became an exception:\n{baseline}")
    operator.expect(0, "check", f"--config.file={adopted}")
    check("# Nothing to do.\n" == operator.expect(0, "plan", f"--config.file={adopted}"), "nothing to do")


def baseline_of_all_begins_from_credentials(operator):
    alone = operator.write("profiles.yml", operator.config.read_text().split("groups:")[0])
    check("baseline --all" in operator.expect(2, "check", f"--config.file={alone}"), "a configuration names images, and baseline writes them")
    written = operator.expect(0, "baseline", "--all", f"--config.file={alone}")
    for image in ("m-canary", "m-rich", "m-plain", "m-new"):
        check(f'id: "{image}"' in written, f"{image} is not there:\n{written}")
    check("discover:\n  - {allowed: []}" in written, f"no rule for images to come:\n{written}")
    told = operator.expect(2, "lint", f"--config.file={operator.write('draft.yml', written)}")
    check(told.count("owner, ticket and reason must be given") == written.count('owner: ""') == len(told.splitlines()), f"one line for each:\n{told}")
    adopted = operator.write("adopted-all.yml", re.sub(r': ""', ": jane", written))
    said = operator.expect(0, "check", f"--config.file={adopted}")
    check("All 4 images" in said and "Next:" not in said, f"all of them are watched, and in sync:\n{said}")
    again = operator.expect(0, "baseline", "--all", f"--config.file={adopted}")
    check(': ""' not in again and again.count("- id:") == 4, f"nothing is new:\n{again}")


def baseline_of_all_keeps_what_stands(operator):
    written = operator.expect(0, "baseline", "--all", f"--config.file={operator.config}")
    for kept in ("canary: true", "team: platform", "interval: 1m", "group:partners", "pilot: with #1", 'id: "m-new"'):
        check(kept in written, f"{kept} is lost:\n{written}")
    adopted = operator.write("adopted-whole.yml", re.sub(r': ""', ": jane", written))
    operator.expect(0, "check", f"--config.file={adopted}")
    rest = operator.write("rest.yml", 'images: [{id: m-new, allowed: ["%s"]}]\n' % STRANGER)
    split = operator.expect(0, "baseline", "--all", f"--config.file={operator.config}", f"--config.file={rest}")
    check(f"--- # {rest}" in split and split.count("m-new") == 1 and "--- # a new file" in split, split)


def baseline_of_all_says_what_it_could_not_list(operator):
    if pathlib.Path("/etc/share-drift-exporter/config.yml").exists():
        print("     (this machine has a configuration)")
        return
    none = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    ran = subprocess.run([BIN / "share-drift-exporter", "baseline", "--all"], capture_output=True, text=True, timeout=PATIENCE, env=none,
                         check=False)
    check(ran.stdout.startswith("# INCOMPLETE: "), f"a file that looks whole:\n{ran.stdout}")
    check(ran.returncode == 3 and "images:\n  []" in ran.stdout and "profile default owns could not be listed, so none" in ran.stderr
          and "# This is not the whole of it: " in ran.stdout and "with what stands in" not in ran.stdout,
          f"exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
    check("/nowhere.yml" in operator.expect(2, "baseline", "--all", "--config.file=/nowhere.yml"), "a file that is named must be there")


def another_regions_endpoint_is_named(operator):
    """An account that owns no image: another one's key, or another region's endpoint."""
    there = Simulator(operator.folder, name="elsewhere")
    try:
        told = f"the account of profile default owns no image at {there.url}"
        images = operator.write("elsewhere.yml", operator.config.read_text().replace(operator.config.read_text().split('"')[1], there.url))
        rule = operator.write("rule.yml", images.read_text().split("groups:")[0] + "discover: [{allowed: []}]\n")
        bare = operator.write("bare.yml", images.read_text().split("groups:")[0])
        for config in (images, rule):
            said = operator.expect(1, "lint", "--online", f"--config.file={config}")
            check(said.count(told) == 1 and "another region" in said, said)
            said = operator.expect(3, "check", f"--config.file={config}")
            check("in sync" not in said.replace("0 of 3 in sync", ""), f"in sync with nothing:\n{said}")
            check("Next: share-drift-exporter doctor," in said, said)
        check("m-rich" not in operator.expect(1, "lint", "--online", f"--config.file={images}"), "one cause, one line")
        for arguments in (["--all", f"--config.file={bare}"], [f"--config.file={images}"]):
            code, out, err = operator.run("baseline", *arguments)
            check(code == 3 and told in err and out.startswith("# INCOMPLETE: ") and told in out.splitlines()[0], f"{arguments}: {code}\n{out}{err}")
    finally:
        there.stop()


def lint_online_names_the_place(operator):
    operator.simulator.control("images", id="m-sibling")
    text = operator.config.read_text() + "  - {id: m-plian, allowed: []}\n  - {id: m-nothing-like-it, allowed: []}\n"
    config = operator.write("mistyped.yml", text)
    operator.simulator.control("unshare", image="m-rich", accounts=["5555555555555555"])
    said = operator.expect(1, "lint", "--online", f"--config.file={config}")
    operator.simulator.control("share", image="m-rich", accounts=["5555555555555555"])
    line = len(text.splitlines())
    for wanted in (f'{config}:{line - 1}:10: warning: images[3].id: the account of profile default has no image "m-plian" (',
                   f'{config}:{line}:10: warning: images[4].id: the account of profile default has no image "m-nothing-like-it" (',
                   f'{config}:7:9: warning: images[1].id: m-rich: 5555555555555555 is allowed, but'):
        check(wanted in said, f"{wanted}\n{said}")
    operator.simulator.control("images", id="m-plain2")
    config.write_text(text.replace("m-plian", "m-plain3"))
    said = operator.expect(1, "lint", "--online", f"--config.file={config}")
    check('did you mean "m-plain2"?' in said, said)
    said = operator.expect(1, "check", f"--config.file={config}")
    check('m-plain3 (did you mean "m-plain2"?) and m-nothing-like-it: could not tell: image_gone' in said, said)
    operator.simulator.control("images/delete", id="m-plain2")
    operator.simulator.control("images/delete", id="m-sibling")
    operator.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "wrong"
    for command in (["lint", "--online"], ["check"], ["plan"]):
        _, out, err = operator.run(*command, f"--config.file={operator.config}")
        check((out + err).count("compare the secret") == 1, f"{command}: one cause, one line:\n{out}{err}")
    code, out, err = operator.run("baseline", f"--config.file={operator.config}")
    check(code == 3 and out.startswith("# INCOMPLETE: ") and out.count("compare the secret") == 1, f"{code}\n{out}")
    operator.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = Simulator.SECRET


def a_proxy_that_is_set_and_not_used_is_told(operator):
    for variable in ("http_proxy", "all_proxy", "ALL_PROXY"):
        operator.environment[variable] = "http://127.0.0.1:9"
        for command in (["check"], ["plan"], ["lint"], ["lint", "--online"], ["baseline"]):
            _, _, err = operator.run(*command, f"--config.file={operator.config}")
            check(err.count(f"{variable} is set and is not used: set proxy_from_environment: true, or proxy_url") == 1, f"{command}:\n{err}")
        del operator.environment[variable]


def output_is_whole_or_the_command_fails(operator):
    adopted = operator.folder / "adopted.yml"
    database = operator.folder / "daemon.db"
    forms = [["check", f"--format={form}"] for form in ("table", "json", "sarif", "prometheus")]
    histories = [["history", f"--storage.path={database}", f"--format={form}"] for form in ("table", "json", "logfmt")]
    for arguments in [*forms, ["plan"], ["baseline"], ["lint", "--online"], ["lint"], ["--help"], ["check", "--help"], ["--version"],
                      ["run", "--config.check"], *histories]:
        if not {"--help", "--version", "history"} & set(arguments):
            arguments = [*arguments, f"--config.file={operator.config if 'lint' in arguments else adopted}"]
        with open("/dev/full", "w") as full:
            code, _, err = operator.run(*arguments, stdout=full)
        check(code == 1 and "could not be written whole: No space left" in err, f"{arguments} > /dev/full: exit {code}\n{err}")


def history_is_a_table_or_lines(operator):
    database = f"--storage.path={operator.folder / 'daemon.db'}"
    lines = [json.loads(line) for line in operator.expect(0, "history", database, "--format=json").splitlines()]
    names = [line["event"] for line in lines]
    check("drift_opened" in names and names[-1] == "stopped", names)
    summary, _, head, *rows = operator.expect(0, "history", database).splitlines()
    check(summary.startswith(f"{len(lines)} events from ") and head.split()[0] == "TIME", summary + head)
    for line, row in zip(lines, rows, strict=True):
        check(all(part in row for part in (line["ts"][:10], line["ts"][11:19], line["level"], line["event"], line["msg"])), row)
    logfmt = operator.expect(0, "history", database, "--format=logfmt").splitlines()
    check([re.search(r"event=(\w+)", line)[1] for line in logfmt] == names, logfmt)
    newest = operator.expect(0, "history", database, "--format=json", "--limit=2")
    check([json.loads(line)["event"] for line in newest.splitlines()[:2]] == names[-2:], newest)
    check("older events are left out; --limit=0" in newest, newest)
    check("older" not in operator.expect(0, "history", database, "--limit=0"), "all of them are there")
    plain = [json.loads(line) for line in operator.expect(0, "history", database, "m-plain", "--format=json").splitlines()]
    check([line for line in plain if "image_id" in line] == [line for line in lines if line.get("image_id") == "m-plain"], plain)
    check("credentials_changed" in [line["event"] for line in plain if "image_id" not in line], "what explains its events")
    check(" * credentials_changed " in operator.expect(0, "history", database, "m-plain"), "and is marked")
    for since, there in (("1h", True), ("2020-01-01", True), ("0", False), ("2099-01-01T00:00:00Z", False)):
        said = operator.expect(0, "history", database, f"--since={since}")
        check(("drift_opened" in said) == there and ("No event" in said) != there, f"since {since}:\n{said}")


def history_tells_each_cause(operator):
    good = operator.folder / "daemon.db"
    junk = operator.write("junk.db", "j" * 5000)
    foreign = operator.folder / "foreign.db"
    with contextlib.closing(sqlite3.connect(foreign)) as database:
        database.execute("create table t (a)")
    for path, cause, remedy in ((operator.folder / "absent.db", "no such file", "--storage.path"),
                                (operator.folder / "no" / "state.db", "no such file", "--storage.path"),
                                (operator.folder, "not a file", ""), (junk, "not a state database", "--storage.path"),
                                (foreign, "not a state database", "--storage.path")):
        said = operator.expect(2, "history", f"--storage.path={path}")
        check(cause in said and remedy in said and str(path) in said, said)
    if os.geteuid() == 0:
        good.chmod(0o600)
        with tempfile.TemporaryDirectory() as folder:  # nobody may not be let to where the program was made
            os.chmod(folder, 0o755)
            program = shutil.copy(BIN / "share-drift-exporter", folder)
            ran = subprocess.run([program, "history", f"--storage.path={good}"], capture_output=True, text=True, timeout=60,
                                 check=False, user=65534)
        check(ran.returncode == 2 and "permission denied; run this as root" in ran.stderr, ran.stderr)


def history_is_read_from_a_read_only_mount(operator):
    mount = operator.folder / "read only #1?"
    mount.mkdir()
    shutil.copy(operator.folder / "daemon.db", mount / "state.db")
    ran = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", 'mount --bind "$1" "$1" && mount -o remount,ro,bind '
                          '"$1" && exec "$2" history --storage.path="$1/state.db"', "sh", mount, BIN / "share-drift-exporter"],
                         capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in ran.stderr or "mount:" in ran.stderr:
        print(f"     (no mounts here: {ran.stderr.strip()})")
        return
    check(ran.returncode == 0 and " started " in ran.stdout, f"exit {ran.returncode}: {ran.stdout}{ran.stderr}")


def usage_comes_first(operator):
    missing = "--config.file=/nowhere/config.yml"
    for flag in ("--web.listen-address=nonsense", "--web.telemetry-path=/config", "--shard.index=x", "--web.max-requests=-1"):
        said = operator.expect(2, "run", missing, flag)
        check(flag.split("=")[0] in said and "nowhere" not in said and "first_run" not in said, said)


def main():
    with workspace() as (folder, own):
        simulator = own(Simulator(folder))
        for image, accounts in (("m-canary", ["1111111111111111"]), ("m-plain", [STRANGER]), ("m-new", [STRANGER]),
                                ("m-rich", ["2222222222222222", "3333333333333333", "4444444444444444", "5555555555555555"])):
            simulator.control("images", id=image, accounts=accounts)
        operator = Operator(folder, simulator)
        own(Daemon(folder, CONFIG % simulator.url)).stop()
        for row in (judges_as_the_daemon_does, baseline_adopted_is_in_sync, baseline_of_all_begins_from_credentials,
                    baseline_of_all_keeps_what_stands, baseline_of_all_says_what_it_could_not_list, another_regions_endpoint_is_named,
                    lint_online_names_the_place,
                    a_proxy_that_is_set_and_not_used_is_told, output_is_whole_or_the_command_fails,
                    history_is_a_table_or_lines, history_tells_each_cause, history_is_read_from_a_read_only_mount, usage_comes_first):
            row(operator)
            print(f"ok   {row.__name__.replace('_', ' ')}")


if __name__ == "__main__":
    main()
