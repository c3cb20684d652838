#!/usr/bin/env python3
"""Prometheus and Alertmanager with the shipped configs, on an exporter in every state of the story: check_live.py SOURCE_DIR.

Only addresses and waiting times are replaced. In each state every query of the pack runs; what fires and what is delivered is
what the state deserves; and an alert about drift ends on proof only.
"""
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests" / "support"))
from fake_exporter import FakeExporter  # noqa: E402
from harness import QUICKLY, Alertmanager, Failed, Prometheus, WebhookSink, alertmanager_config, wait_for, workspace  # noqa: E402
from live_queries import run_all  # noqa: E402
from render_dashboard import photograph, page  # noqa: E402
import boards as pack  # noqa: E402

PAGE, MISSING = "ShareDriftUnexpectedAccount", "ShareDriftRequiredAccountMissing"


def replaced(text, *pairs):
    for pattern, new in pairs:
        text, count = re.subn(pattern, new, text)
        if not count:
            raise Failed(f"the shipped config has no {pattern}")
    return text


def prometheus_config(exporter, alertmanager):
    """The shipped one, every second, on the exporter of this test."""
    text = replaced((ROOT / "config" / "prometheus.yml").read_text(),
                    (r"(scrape_interval|evaluation_interval): \S+", r"\1: 1s"),
                    (r"\.\./dashboards/", f"{ROOT.resolve()}/dashboards/"),
                    (r"file_sd/", f"{ROOT.resolve()}/config/file_sd/"),
                    (r"127\.0\.0\.1:9093", alertmanager.url.removeprefix("http://")),
                    (r"127\.0\.0\.1:10191", exporter.address))
    return text


class Stage:
    def __init__(self, directory, keep):
        now = time.time()
        self.image = {"id": "m-example1", "name": "edge-base", "team": "edge-os", "severity": "page",
                      "exceptions": {"3333333333333333": now + 90 * 86400}}
        self.other = {"id": "m-example2"}
        canary = {"id": "m-canary", "name": "canary", "canary": True,
                  "unexpected": {"9999999999999999": ("canary-reader", now - 9 * 86400)}}
        self.exporter = keep(FakeExporter(ROOT, [self.image, self.other, canary]))
        self.sink = keep(WebhookSink())
        self.alertmanager = keep(Alertmanager(directory, alertmanager_config(self.sink, QUICKLY)))
        self.prometheus = keep(Prometheus(directory, prometheus_config(self.exporter, self.alertmanager)))

    def firing(self):
        return sorted({labels["alertname"] for labels in self.prometheus.firing()} - {"ShareDriftWatchdog"})

    def wait_firing(self, *names):
        wait_for(f"exactly {names} to fire", lambda: self.firing() == sorted(names) or self.raise_firing(), every=0.2)

    def raise_firing(self):
        raise Failed(f"firing: {self.firing()}")

    def hold_firing(self, seconds, *names):
        """The same alerts fire at every look for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.firing() != sorted(names):
                raise Failed(f"{self.firing()} fire, not {names}")
            time.sleep(0.3)

    def queries(self, *must):
        faults, ran = run_all(self.prometheus.url, self.image["id"], must)
        if faults:
            raise Failed("\n".join(faults))
        return ran

    def delivered(self, name, status="firing"):
        return [alert for _, alert in wait_for(f"{name} {status} to be delivered", lambda: self.sink.alerts(name, status))]


def check_pictures(stage, directory):
    """Each dashboard can be drawn, shows what is there, and makes a picture."""
    boards = {board["uid"]: board for board in pack.load(ROOT).values()}
    for uid, shown in (("share-drift-overview", ["lab-west", "4444444444444444", PAGE, "edge-base"]),
                       ("share-drift-image", ["lab-west", "edge-os", "unexpected"]), ("share-drift-exporter", ["in force", "sound", "seen"])):
        text, height = page(stage.prometheus.url, boards[uid], "m-example1", 1)
        if missing := [word for word in shown if word not in text]:
            raise Failed(f"{uid} drawn without {missing}")
    photograph(text, height, directory / "board.png")
    picture = (directory / "board.png").read_bytes()
    if picture[:8] != b"\x89PNG\r\n\x1a\n" or int.from_bytes(picture[20:24], "big") != height or len(picture) < 40_000:
        raise Failed(f"no picture of the dashboard: {len(picture)} bytes")


def play(stage, directory):
    say = lambda step: print(f"{step}: {stage.queries()} queries", flush=True)  # noqa: E731
    image = stage.image
    stage.prometheus.wait_query("count_over_time(share_drift_build_info[1m]) > 4", bool)
    stage.wait_firing()
    say("clean")

    image["unexpected"] = {"4444444444444444": ("lab-west", time.time())}
    image["opened_unexpected"] = 1
    begun = time.monotonic()
    alert = stage.delivered(PAGE)[0]
    took = time.monotonic() - begun
    text = " ".join([*alert["labels"].values(), *alert["annotations"].values()])
    missing = [fact for fact in ("m-example1", "edge-base", "4444444444444444 (lab-west) seen since 20", "edge-os", "page",
                                 "share-drift-exporter plan --image m-example1",
                                 "aliyun ens ModifyImageSharePermission --ImageId m-example1 --endpoint ens.aliyuncs.com --RemoveAccounts 4444444444444444") if fact not in text]
    if missing:
        raise Failed(f"the page lacks {missing}: {alert}")
    stage.wait_firing(PAGE)
    stage.queries("Open drift", "Firing alerts", "Temporary permissions", "Images that drifted")
    check_pictures(stage, directory)
    say(f"drift (delivered {took:.1f} s after the exporter showed it)")

    stage.exporter.failing = True
    stage.hold_firing(4, PAGE)
    stage.exporter.failing = False
    stage.hold_firing(2, PAGE)
    say("scrapes missed")

    image.update(state="unreachable", complete_at=time.time())
    stage.exporter.api_failures = {"throttled": 3.0}
    stage.wait_firing(PAGE, "ShareDriftListingStale", "ShareDriftApiThrottled")
    stage.queries("Images that could not be read", "Failures by reason")
    say("throttled, stale, and the drift stands")
    stage.exporter.api_failures = {"throttled": 0.0}

    image.update(state="forbidden")
    wait_for("forbidden", lambda: "ShareDriftPermissionLost" in stage.firing())
    if PAGE not in stage.firing():
        raise Failed("the page ended although nobody could look")
    stage.delivered("ShareDriftPermissionLost")
    say("forbidden")

    if stage.sink.alerts(PAGE, "resolved"):
        raise Failed("the page was called resolved before there was proof")
    image.update(state="ok", unexpected={}, complete_at=None, closed_unexpected=1)
    resolved = stage.delivered(PAGE, "resolved")[0]
    if resolved["labels"]["image_id"] != "m-example1":
        raise Failed(f"resolved: {resolved}")
    say("taken back")

    stage.other["missing"] = {"2222222222222222": ("partner-north", time.time())}
    stage.exporter.overrides["share_drift_config_last_reload_successful"] = 0
    if "2222222222222222 (partner-north) since" not in stage.delivered(MISSING)[0]["annotations"]["accounts"]:
        raise Failed("the ticket does not name the account")
    stage.delivered("ShareDriftConfigReloadFailed")
    say("required account missing, reload refused")


def main():
    with workspace() as (directory, keep):
        play(Stage(directory, keep), directory)


if __name__ == "__main__":
    main()
