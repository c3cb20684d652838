#!/usr/bin/env python3
"""Every query of the pack on a Prometheus that scrapes the real daemon, in each state of the story: check_story.py SOURCE_DIR.

SHAREDRIFT_BIN_DIR names the programs. With --pictures FOLDER it plays a longer story with more images instead, and leaves
the pictures of the dashboards there that the README shows.
"""
import argparse
import json
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Daemon, Failed, Prometheus, Simulator, fetch, parse_metrics, run, wait_for, workspace  # noqa: E402
import boards as pack  # noqa: E402
import exhibition  # noqa: E402
from live_queries import run_all  # noqa: E402

ROOT = HERE.parents[1]
IMAGE, CANARY = "m-edge-base", "m-canary"
PARTNER, LAB, STRANGER, ODD = "2222222222222222", "3333333333333333", "4444444444444444", "9999999999999999"
SHARES = {IMAGE: [PARTNER], "m-edge-gpu": [PARTNER, LAB], CANARY: [ODD]}
IMAGES = f"""\
  - {{id: {IMAGE}, name: edge-base, team: edge-os, severity: page, required: ["{PARTNER}"], allowed: []}}
  - id: m-edge-gpu
    name: edge-gpu
    team: gpu
    allowed: ["{PARTNER}"]
    exceptions:
      - {{account: "{LAB}", expires: 2099-12-31, owner: jane, ticket: SEC-12, reason: pilot}}
  - {{id: {CANARY}, name: canary, allowed: [], canary: true}}
"""


def config(simulator, key, images, extra=""):
    return f"""\
profiles:
  default:
    endpoint: {simulator.url}
    credentials: {{source: static_file, file: "{key}"}}
    requests_per_second: 50
    timeout: 2s
    max_attempts: 2
poll: {{interval: 1s, spread: none}}
accounts:
  "{PARTNER}": {{name: partner-north}}
  "{LAB}": {{name: lab}}
  "{STRANGER}": {{name: former-contractor}}
images:
{images}{extra}"""


class Stage:
    """Simulator, daemon and Prometheus about images that are shared as `shares` says and watched as `images` says."""

    def __init__(self, directory, keep, shares, images):
        self.began = time.monotonic()
        self.images = images
        scenario = directory / "scenario.json"
        scenario.write_text(json.dumps({"images": [{"id": image, "accounts": accounts} for image, accounts in shares.items()]}))
        self.simulator = keep(Simulator(directory, f"--scenario={scenario}"))
        self.key = directory / "key"
        self.key.write_text(f"access_key_id={Simulator.KEY}\naccess_key_secret={Simulator.SECRET}\n")
        self.key.chmod(0o600)
        self.daemon = keep(Daemon(directory, config(self.simulator, self.key, images), "--web.enable-lifecycle", key=None))
        self.prometheus = keep(Prometheus(directory, f"""\
global: {{scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}}
rule_files: ["{ROOT}/dashboards/alerts/*.yml"]
scrape_configs:
  - job_name: share-drift
    static_configs: [{{targets: ["127.0.0.1:{self.daemon.port}"], labels: {{instance: "monitor-1:10191"}}}}]
"""))

    def reload(self, extra):
        """Reloads with lines added to the config; returns the status of the answer."""
        self.daemon.write_config(config(self.simulator, self.key, self.images, extra))
        return fetch(self.daemon.url + "/-/reload", method="POST")[0]

    def fires(self, *names, image=None):
        def holds():
            firing = {labels["alertname"] for labels in self.prometheus.firing() if image in (None, labels.get("image_id"))}
            if not set(names) <= firing:
                raise Failed(f"firing: {firing}")
            return True
        wait_for(f"{names} to fire", holds, every=0.2)

    def ends(self, *names):
        wait_for(f"{names} to end", lambda: not {labels["alertname"] for labels in self.prometheus.firing()} & set(names), every=0.2)

    def queries(self, state, *must, blind=False):
        faults, ran = run_all(self.prometheus.url, IMAGE, must, blind)
        if faults:
            raise Failed(f"{state}: " + "\n".join(faults))
        print(f"{state}: {ran} queries, at {time.monotonic() - self.began:.0f} s", flush=True)


def check_calls(stage):
    """The page has the calls that `plan` prints, to the endpoint that is watched."""
    _, plan, _ = run("plan", f"--config.file={stage.daemon.config}", f"--image={IMAGE}", key=None)
    calls = [line for line in plan.splitlines() if line.startswith("aliyun ")]
    alerts = json.loads(fetch(stage.prometheus.url + "/api/v1/alerts")[2])["data"]["alerts"]
    paged = [a["annotations"].get("calls") for a in alerts if a["labels"].get("image_id") == IMAGE and "calls" in a["annotations"]]
    if len(calls) != 1 or paged != calls or f" --endpoint 127.0.0.1:{stage.simulator.port} --insecure " not in calls[0]:
        raise Failed(f"plan says {calls}, the page {paged}")


def check_names(daemon):
    """What is exposed is what the table documents; what the table has and the page lacks is only what cannot be known."""
    metrics = pack.documented(ROOT)
    exposed = {pack.base_name(name, metrics) for name, _ in parse_metrics(daemon.http("/metrics")[2].decode())}
    if exposed - set(metrics):
        raise Failed(f"exposed and not in the table: {exposed - set(metrics)}")
    # A key without an end has no expiry, every image is watched, and none fails; everything else must have been there by now.
    unknown = {"share_drift_credentials_expiry_timestamp_seconds", "share_drift_inventory_unwatched_image_info",
               "share_drift_listing_failure_info"}
    if missing := set(metrics) - exposed - unknown:
        raise Failed(f"in the table and never exposed: {missing}")


def play(stage):
    simulator, daemon, prometheus = stage.simulator, stage.daemon, stage.prometheus
    prometheus.wait_query("count_over_time(share_drift_build_info[1m]) > 5", bool)
    if firing := {labels["alertname"] for labels in prometheus.firing()} - {"ShareDriftWatchdog"}:
        raise Failed(f"nothing is wrong, and {firing} fire")
    stage.queries("clean", "Temporary permissions")

    simulator.control("share", image=IMAGE, accounts=[STRANGER])
    stage.fires("ShareDriftUnexpectedAccount", image=IMAGE)
    check_names(daemon)
    check_calls(stage)
    stage.queries("drift", "Open drift", "Firing alerts", "Images that drifted", "Drift opened")

    simulator.control("faults", kind="throttle")
    stage.fires("ShareDriftListingStale", "ShareDriftApiThrottled", "ShareDriftUnexpectedAccount")
    stage.queries("throttled", "Failures by reason", "Images that could not be read", "Open drift", blind=True)
    simulator.control("faults/clear")
    stage.ends("ShareDriftListingStale")

    simulator.control("unshare", image=IMAGE, accounts=[PARTNER])
    stage.fires("ShareDriftRequiredAccountMissing", "ShareDriftUnexpectedAccount", image=IMAGE)
    stage.queries("required account missing", "Open drift")

    simulator.control("keys/disable", id=Simulator.KEY)
    stage.fires("ShareDriftPermissionLost", "ShareDriftUnexpectedAccount")
    stage.queries("forbidden", "Images that could not be read", blind=True)
    simulator.control("keys/enable", id=Simulator.KEY)
    stage.ends("ShareDriftPermissionLost")

    if stage.reload("surprise: true\n") != 500:
        raise Failed("a config with a surprise was not refused")
    stage.fires("ShareDriftConfigReloadFailed")
    if stage.reload("# reviewed\n") != 200:
        raise Failed("the reviewed config was refused")
    stage.fires("ShareDriftAllowListChanged")
    stage.ends("ShareDriftConfigReloadFailed")
    stage.queries("reloaded", "Config taken")

    simulator.control("unshare", image=IMAGE, accounts=[STRANGER])
    simulator.control("unshare", image=CANARY, accounts=[ODD])
    stage.fires("ShareDriftCanaryDriftMissing", image=CANARY)
    prometheus.wait_query(f'share_drift_unexpected_accounts{{image_id="{IMAGE}"}}', lambda values: values == [0.0])
    stage.queries("taken back, canary lost", "Drift closed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", nargs="?")
    parser.add_argument("--pictures", type=pathlib.Path)
    arguments = parser.parse_args()
    with workspace() as (directory, keep):
        if arguments.pictures:
            exhibition.play(Stage(directory, keep, exhibition.SHARES, exhibition.IMAGES), arguments.pictures)
        else:
            play(Stage(directory, keep, SHARES, IMAGES))


if __name__ == "__main__":
    main()
