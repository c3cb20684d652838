#!/usr/bin/env python3
"""What `check` prints suits those who read it: check_reports.py BUILD_DIR

One poll of images in every state, by names and a path that need escaping: SARIF is valid by its published schema, the exposition
by promtool, and all forms tell the same drift.
"""
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import BIN, Simulator, workspace  # noqa: E402
from harness.npm import install  # noqa: E402

CONFIG = """\
profiles:
  default: {endpoint: "%s", requests_per_second: 0, max_attempts: 1, credentials: {source: environment}}
accounts:
  "4242424242424242": {name: 'st"range <b>&r'}
images:
  - {id: m-clean, allowed: ["1715107400000001"]}
  - {id: m-drift, name: 'edge "base"\\ <i>', team: "Größe", allowed: []}
  - {id: m-missing, required: ["2222222222222222"], allowed: []}
  - id: m-exception
    allowed: []
    exceptions: [{account: "3333333333333333", expires: 2099-12-31, owner: jane, ticket: SEC-12, reason: "pilot & more"}]
  - {id: m-unreadable, allowed: []}
"""


def main():
    modules = install(HERE, pathlib.Path(sys.argv[1]))
    with workspace() as (folder, own):
        simulator = own(Simulator(folder))
        for image, accounts in (("clean", ["1715107400000001"]), ("drift", ["4242424242424242", "5555555555555555"]),
                                ("missing", []), ("exception", ["3333333333333333"]), ("unreadable", ["1"])):
            simulator.control("images", id=f"m-{image}", accounts=accounts)
        simulator.control("faults", kind="server_error", image="m-unreadable")
        place = pathlib.Path(folder) / "a b#ü%"
        place.mkdir()
        config = place / "config.yml"
        config.write_text(CONFIG % simulator.url)
        config.chmod(0o644)
        environment = {"PATH": os.environ["PATH"], "ALIBABA_CLOUD_ACCESS_KEY_ID": Simulator.KEY,
                       "ALIBABA_CLOUD_ACCESS_KEY_SECRET": Simulator.SECRET}

        def check(form):
            ran = subprocess.run([BIN / "share-drift-exporter", "check", f"--config.file={config}", f"--format={form}"],
                                 capture_output=True, text=True, timeout=600, env=environment)
            assert ran.returncode == 1, f"{form}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}"
            return ran.stdout

        sarif = json.loads(check("sarif"))
        results = [(result["ruleId"], result["level"], result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"])
                   for result in sarif["runs"][0]["results"]]
        assert sorted(results) == [
            ("could-not-tell", "warning", "m-unreadable"), ("missing-account", "error", "m-missing"),
            ("unexpected-account", "error", "m-drift"), ("unexpected-account", "error", "m-drift"),
            ("unexpected-account", "note", "m-exception")], results
        uri = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert urllib.parse.unquote(urllib.parse.urlsplit(uri).path) == str(config), uri
        report = pathlib.Path(folder) / "report.sarif"
        report.write_text(json.dumps(sarif))
        done = subprocess.run(["node", HERE / "validate_sarif.js", modules, report], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 and "1 reports hold" in done.stdout, done.stdout + done.stderr

        page = check("prometheus")
        done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr
        for line in ('share_drift_unexpected_accounts{image_id="m-drift"} 2', 'share_drift_missing_accounts{image_id="m-missing"} 1',
                     'share_drift_unexpected_accounts{image_id="m-clean"} 0', 'share_drift_listing_complete{image_id="m-unreadable"} 0'):
            assert line in page.splitlines(), f"not in the exposition: {line}\n{page}"
        assert not any(line.startswith('share_drift_unexpected_accounts{image_id="m-unreadable"}') for line in page.splitlines())

        told = {image["image_id"]: image["verdict"] for image in json.loads(check("json"))["images"]}
        assert told == {"m-clean": "in_sync", "m-drift": "unexpected", "m-missing": "missing", "m-exception": "in_sync",
                        "m-unreadable": "unknown"}, told
        assert "could not tell" in check("table")
    print("every form of the report suits its reader")


if __name__ == "__main__":
    main()
