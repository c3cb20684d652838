"""Alerts and notifications as a surface: the shipped rules in Prometheus and the shipped file in Alertmanager, on the scene's exporter."""
import collections
import pathlib
import re
import time

from harness import QUICKLY, Alertmanager, Failed, Prometheus, WebhookSink, alertmanager_config, wait_for, workspace

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a scene's truth decides. Others depend on how long it lasts.
SPOKEN = ["ShareDriftUnexpectedAccount", "ShareDriftMassShare", "ShareDriftRequiredAccountMissing", "ShareDriftImageGone",
          "ShareDriftPermissionLost", "ShareDriftCanaryDriftMissing"]
MANY = 10  # images with the same account


def prometheus_config(daemon, alertmanager):
    return f"""\
global: {{scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}}
rule_files: ["{ROOT}/dashboards/alerts/*.yml"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager.url.removeprefix('http://')}"]}}]}}]}}
scrape_configs: [{{job_name: share-drift, static_configs: [{{targets: ["127.0.0.1:{daemon.port}"]}}]}}]
"""


def wanted_of(truth):
    """{(alert, image or account)} that somebody must be told of."""
    images_of = collections.Counter(account for is_ in truth.values() if is_.watched and not is_.canary for account in is_.unexpected)
    mass = {account for account, images in images_of.items() if images >= MANY}
    wanted = {("ShareDriftMassShare", account) for account in mass}
    for image, is_ in truth.items():
        if not is_.watched:  # told by ShareDriftUnwatchedWithDrift, of what Prometheus saw before
            continue
        if is_.canary:
            wanted |= set() if is_.unexpected else {("ShareDriftCanaryDriftMissing", image)}
        elif set(is_.unexpected) - mass:
            wanted.add(("ShareDriftUnexpectedAccount", image))
        if is_.missing:
            wanted.add(("ShareDriftRequiredAccountMissing", image))
        if is_.state in ("gone", "invalid"):
            wanted.add(("ShareDriftImageGone", image))
        if is_.state == "forbidden":
            wanted.add(("ShareDriftPermissionLost", ""))
    return wanted


def may_be_told(truth):
    """The metrics name the 200 oldest drifts: the page about an image with others is not muted, for they may be new."""
    drifts = sum(len(is_.unexpected) + len(is_.missing) for is_ in truth.values())
    return {("ShareDriftUnexpectedAccount", image) for image, is_ in truth.items() if is_.unexpected} if drifts > 200 else set()


def calls_of(stage, truth):
    """They go to the endpoint that is watched, whatever the aliyun command would take by itself."""
    to = f"--endpoint 127.0.0.1:{stage.simulator.port} --insecure"
    return {f"aliyun ens ModifyImageSharePermission --ImageId {image} {to} --{verb}Accounts {account}" for image, is_ in truth.items()
            for verb, accounts in (("Remove", () if is_.canary else is_.unexpected), ("Add", is_.missing)) for account in accounts}


def told(sink):
    """The last word about each alert: {(alert, image or account): its annotations}, of what fires."""
    last = {}
    for _, _, notification in list(sink.notifications):
        for alert in notification["alerts"]:
            labels = alert["labels"]
            key = labels["alertname"], labels.get("image_id", labels.get("account_id", ""))
            last[key] = alert["annotations"] if alert["status"] == "firing" else None
    return {key: annotations for key, annotations in last.items() if annotations and key[0] in SPOKEN}


def alerts(stage, truth):
    wanted = wanted_of(truth)
    with workspace() as (directory, own):
        sink = own(WebhookSink())
        alertmanager = own(Alertmanager(directory, alertmanager_config(sink, QUICKLY)))
        own(Prometheus(directory, prometheus_config(stage.daemon, alertmanager)))
        try:
            wait_for("the heartbeat and what is wanted", lambda: sink.alerts("ShareDriftWatchdog") and wanted <= told(sink).keys())
        except Failed:
            yield from (f"nobody is told of {key}" for key in sorted(wanted - told(sink).keys()))
        time.sleep(3)  # for what must not be told
        seen = told(sink)
    yield from (f"somebody is told of {key}" for key in sorted(seen.keys() - wanted - may_be_told(truth)))
    for (name, image), annotations in seen.items():
        if name in ("ShareDriftUnexpectedAccount", "ShareDriftRequiredAccountMissing") and image in truth and (name, image) not in may_be_told(truth):
            is_ = truth[image]
            accounts = set(is_.unexpected if name == "ShareDriftUnexpectedAccount" else is_.missing)
            named = set(re.findall(r"^\d{16}", annotations["accounts"], re.M))
            if named - accounts or len(named) < min(len(accounts), 5):
                yield f"{image}: {name} names {named}, not {accounts}"
            calls = {line for line in annotations["calls"].splitlines() if line.startswith("aliyun ")}
            if calls - calls_of(stage, truth) or len(calls) < min(len(accounts), 3):
                yield f"{image}: {name} has the calls {calls}"
