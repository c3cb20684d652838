#!/usr/bin/env python3
"""Several files as one configuration, and when they change: config_files.py. SHAREDRIFT_BIN_DIR names the programs."""
import hashlib
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402

BASE = """\
profiles:
  default: {endpoint: "%s", requests_per_second: 0, max_attempts: 1, credentials: {source: environment}}
poll: {interval: 1s, spread: none}
groups: {partners: ["5555555555555555"]}
"""
TEAM = """\
defaults: {team: %s, severity: page}
images: [{id: %s, allowed: [group:partners]}]
"""


def check(holds, what):
    if not holds:
        raise Failed(what)


def write(file, text, mode=0o644):
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.replace(file)


def sha256_of(*files):
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}\n" for file in files)
    return hashlib.sha256(sums.encode()).hexdigest()


def commands_take_them(base, teams):
    files = [f"--config.file={base}", f"--config.file={teams}"]
    code, out, err = run("check", *files)
    check(code == 0 and "m-edge" in out and "m-lab" in out and not err, f"check: {code}\n{out}{err}")
    check(run("lint", *files)[0] == 0, "lint")
    code, out, _ = run("run", "--config.check", *files)
    check(code == 0 and out == f"{base}: good\n{teams}/edge.yml: good\n{teams}/lab.yml: good\n", out)
    code, _, err = run("check", *files, f"--config.file={teams}/lab.yml")
    check(code == 2 and f'{teams}/lab.yml:2:15: images[0].id: image "m-lab" is in the list already (first on line 2)' in err, err)


def a_directory_is_reloaded_whole_or_not_at_all(daemon, base, teams):
    daemon.wait_value("share_drift_config_info", 1, sha256=sha256_of(base, teams / "edge.yml", teams / "lab.yml"))
    check(daemon.value("share_drift_image_info", image_id="m-lab", team="lab", severity="page") == 1, "its file's team")
    write(teams / "new.yml", TEAM % ("new", "m-edge"))
    daemon.wait_value("share_drift_config_last_reload_successful", 0)
    reason = daemon.wait_event("config_rejected")["reason"]
    check(f"{teams}/new.yml:2:15:" in reason and f"first on line 2 of {teams}/edge.yml" in reason, reason)
    write(teams / "new.yml", TEAM % ("new", "m-new"))
    daemon.wait_value("share_drift_config_last_reload_successful", 1)
    daemon.wait_value("share_drift_image_info", 1, image_id="m-new", team="new")
    (teams / "new.yml").unlink()
    daemon.wait_value("share_drift_image_info", None, image_id="m-new")
    daemon.wait_value("share_drift_config_info", 1, sha256=sha256_of(base, teams / "edge.yml", teams / "lab.yml"))
    check(len(daemon.events("config_rejected")) == 1, "a refused configuration is tried once")


def others_must_not_write(daemon, base, teams):
    (teams / "lab.yml").chmod(0o666)
    reason = wait_for("a refusal", lambda: daemon.events("config_rejected")[1:])[0]["reason"]
    check(f"{teams}/lab.yml: can be changed by others" in reason, reason)
    files = [f"--config.file={base}", f"--config.file={teams}"]
    code, _, err = run("check", *files)
    check(code == 0 and "lab.yml: warning: can be changed by others" in err, f"{code} {err}")
    check(run("lint", *files)[0] == 1, "lint warns")
    code, _, err = run("run", "--config.check", *files)
    check(code == 2 and "can be changed by others" in err, f"{code} {err}")
    check(run("run", "--config.check", "--config.trust-file-mode", *files)[0] == 0, "it was told to trust")


def what_did_not_change_is_left_alone(daemon, *_):
    time.sleep(2.5)  # two looks at the files
    check(not daemon.events("config_reloaded"), "files that did not change are not loaded again")


def main():
    with workspace() as (folder, own):
        simulator = own(Simulator(folder))
        for image in ("m-edge", "m-lab", "m-new"):
            simulator.control("images", id=image, accounts=["5555555555555555"])
        teams = pathlib.Path(folder) / "teams"
        teams.mkdir(mode=0o755)
        base = pathlib.Path(folder) / "daemon.yml"
        write(base, BASE % simulator.url)
        write(teams / "edge.yml", TEAM % ("edge", "m-edge"))
        write(teams / "lab.yml", TEAM % ("lab", "m-lab"))
        commands_take_them(base, teams)
        print("ok   commands take several files")
        daemon = own(Daemon(folder, None, f"--config.file={teams}", "--config.enable-auto-reload",
                            "--config.auto-reload-interval=1s"))
        for row in (what_did_not_change_is_left_alone, a_directory_is_reloaded_whole_or_not_at_all, others_must_not_write):
            row(daemon, base, teams)
            print(f"ok   {row.__name__.replace('_', ' ')}")
        daemon.stop()
        trusting = own(Daemon(folder, None, f"--config.file={teams}", "--config.trust-file-mode"))
        check(trusting.wait_event("config_untrusted")["file"] == f"{teams}/lab.yml", "the log says what that gives up")


if __name__ == "__main__":
    main()
