#!/usr/bin/env python3
"""The story of ./dev demo: the real programs on loopback, from the first clean poll to an image that nobody configured.

  demo.py [--keep] [--fast]

Each step prints what was done, the metric line that Prometheus or the daemon has for it, and the notification that reached
the webhook. Exits 0 only if every step happened. --keep leaves everything up until Ctrl-C, and prints each notification that comes
later; --fast stops after the API has failed.
"""
import argparse
import contextlib
import pathlib
import re
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import (BIN, Alertmanager, Daemon, Failed, Prometheus, Simulator, WebhookSink, alertmanager_config, run, wait_for,  # noqa: E402
                     workspace)

IMAGE, PARTNER, CUSTOMER, STRANGER = "m-edge-base", "1715107400000001", "1715107400000002", "4242424242424242"
FLEET, NEW_IMAGE = 300, "m-edge-next"
BOLD, DIM, GREEN, END = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("",) * 4

NEXT = """
What you can do next:
  ./dev demo --keep           the same, and leaves it running: pages to look at, and an API that you may break
  README.md                   "Install and run": the same with your own account
  tests/simulator/README.md   every fault that you can rehearse"""
KEPT = """
All of it stays up. Look at:
  {daemon}/
      the status page: every image with its verdict
  {daemon}/images/{shown}
      the page of one image: its accounts, its history, the calls that end a drift
  {daemon}/metrics, {daemon}/config, {daemon}/api/v1/drift
      the metrics, the configuration in force, the open drifts as JSON
  {prometheus}/classic/alerts
      the alerts of Prometheus, and its graphs
  {alertmanager}/api/v2/alerts
      the alerts that Alertmanager has, as JSON
  {simulator}/_sim/state
      the simulated API: its images, accounts, keys and faults

In another terminal, share an image with a stranger and take it back; make the API fail and recover:
  curl {simulator}/_sim/share -d '{{"image":"{image}","accounts":["9999999999999999"]}}'
  curl {simulator}/_sim/unshare -d '{{"image":"{image}","accounts":["9999999999999999"]}}'
  curl {simulator}/_sim/faults -d '{{"kind":"throttle"}}'
  curl {simulator}/_sim/faults/clear -d '{{}}'
See the drifts, the calls that end them and the recorded events; change the configuration and reload it:
  {program} check --config.file={config}
  {program} plan --config.file={config}
  {program} history --storage.path={state}
  curl -X POST {daemon}/-/reload

Ctrl-C ends everything. Until then each notification is printed here, some seconds after what caused it:"""


def config(simulator):
    return f"""\
profiles:
  default:
    endpoint: "{simulator.url}"
    credentials: {{source: static_file, file: "{simulator.key_file}"}}
    requests_per_second: 0
    timeout: 2s
    max_attempts: 2
poll: {{interval: 1s, stale_after: 5s, spread: none}}
accounts:
  "{PARTNER}": {{name: partner-north}}
  "{CUSTOMER}": {{name: customer-one}}
  "{STRANGER}": {{name: former-contractor}}
images:
  - id: {IMAGE}
    name: edge-base
    team: edge-os
    required: ["{CUSTOMER}"]
    allowed: ["{PARTNER}"]
"""


def write_key(simulator, key, secret):
    """In place and at once, as a secret manager would do it."""
    fresh = simulator.key_file.with_suffix(".new")
    fresh.write_text(f"access_key_id={key}\naccess_key_secret={secret}\n")
    fresh.chmod(0o600)
    fresh.replace(simulator.key_file)


def prometheus_config(daemon, alertmanager):
    return f"""\
global: {{scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}}
rule_files: ["{ROOT}/dashboards/alerts/*.yml"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager.port}"]}}]}}]}}
scrape_configs:
  - job_name: share-drift-exporter
    static_configs: [{{targets: ["127.0.0.1:{daemon.port}"]}}]
"""


def show(alert):
    """Prints one alert of a notification."""
    notes, firing = alert["annotations"], alert["status"] == "firing"
    image = alert["labels"].get("image_id")
    words = notes.get("description", notes.get("summary", "")) if firing else f"it is over{f' for {image}' if image else ''}"
    print(f"    notification {GREEN}{alert['labels']['alertname']} {alert['status']}{END}: {words}")
    for line in notes.get("accounts", "").splitlines() if firing else []:
        print(f"                 {line}")
    sys.stdout.flush()


class Story:
    def __init__(self, simulator, daemon, prometheus, alertmanager, sink, directory):
        self.simulator, self.daemon, self.prometheus, self.alertmanager, self.sink, self.directory = \
            simulator, daemon, prometheus, alertmanager, sink, directory
        self.began = time.monotonic()
        self.count = 0

    def say(self, text):
        self.count += 1
        print(f"\n{BOLD}{self.count:2}. {text}{END} {DIM}({time.monotonic() - self.began:.1f} s){END}", flush=True)

    def world(self, text):
        """What happens besides: nothing happens that is not told."""
        print(f"    meanwhile    {text}", flush=True)

    def metric(self, expression, value):
        """Waits until Prometheus has `value` for the expression (None: no series) and shows it."""
        series = self.prometheus.wait_query(expression, lambda values: values == ([] if value is None else [value]))
        shown = "no series: nobody may claim it" if value is None else f"{series[0][1]:g}"
        print(f"    Prometheus   {expression} = {GREEN}{shown}{END}", flush=True)

    def notified(self, alert, status="firing", after=0.0):
        """Waits for a notification about the alert and shows it; the time it came."""
        def come():
            return [(when, a) for when, a in self.sink.alerts(alert, status) if when >= after]
        when, delivered = wait_for(f"a {status} notification of {alert}", come)[-1]
        show(delivered)
        return when

    def stay(self):
        """Prints each notification that comes, until Ctrl-C."""
        def told():
            return {(a["fingerprint"], a["startsAt"], a["status"]): a for _, _, n in list(self.sink.notifications) for a in n["alerts"]
                    if a["labels"]["alertname"] != "ShareDriftWatchdog"}  # the heartbeat
        before = told()
        leaks = self.daemon.value("share_drift_unexpected_accounts", image_id=NEW_IMAGE)
        print(KEPT.format(daemon=self.daemon.url, prometheus=self.prometheus.url, alertmanager=self.alertmanager.url,
                          simulator=self.simulator.url, image=IMAGE, shown=NEW_IMAGE if leaks else IMAGE, program=BIN / "share-drift-exporter",
                          config=self.daemon.config, state=self.daemon.config.with_suffix(".db")), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                now = told()
                for key, alert in now.items():
                    if key not in before:
                        show(alert)
                before = now
                time.sleep(0.2)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is ended in any case
        print("\nEnding what was started.", flush=True)

    # The steps. Each waits until what it tells has happened; a miss is an exception.

    def clean(self):
        self.say("All is well: the image is shared with those who may and must have it")
        self.metric(f'share_drift_unexpected_accounts{{image_id="{IMAGE}"}}', 0.0)
        self.metric(f'share_drift_missing_accounts{{image_id="{IMAGE}"}}', 0.0)

    def foreign_account(self):
        self.say(f"Somebody shares it with {STRANGER}, a former contractor")
        shared = time.monotonic()
        self.simulator.control("share", image=IMAGE, accounts=[STRANGER])
        self.metric(f'share_drift_unexpected_accounts{{image_id="{IMAGE}"}}', 1.0)
        paged = self.notified("ShareDriftUnexpectedAccount", after=shared)
        print(f"    from the share to the page: {GREEN}{paged - shared:.1f} s{END} "
              f"(poll every 1 s, scrape every 1 s, rules every 1 s)")
        if not any(STRANGER in a["annotations"]["accounts"] and "former-contractor" in a["annotations"]["accounts"]
                   for _, a in self.sink.alerts("ShareDriftUnexpectedAccount", "firing")):
            raise Failed("the page does not name the account")

    def removed(self):
        self.say("It is taken back; two complete listings must agree before the drift is closed")
        then = time.monotonic()
        self.simulator.control("unshare", image=IMAGE, accounts=[STRANGER])
        closed = self.daemon.wait_event("drift_closed", account_id=STRANGER, reason="revoked")
        print(f"    log          drift_closed reason=revoked, access ended in ({closed['last_seen']}, {closed['not_after']}]")
        self.metric(f'share_drift_unexpected_accounts{{image_id="{IMAGE}"}}', 0.0)
        self.notified("ShareDriftUnexpectedAccount", "resolved", after=then)

    def throttled(self):
        self.say("The API throttles: nobody can see, and the gauges do not pretend to")
        then = time.monotonic()
        self.simulator.control("faults", kind="throttle")
        self.notified("ShareDriftListingStale", after=then)
        self.metric(f'share_drift_unexpected_accounts{{image_id="{IMAGE}"}}', None)
        self.world("the API answers again")
        self.simulator.control("faults/clear")
        self.notified("ShareDriftListingStale", "resolved", after=then)
        self.metric(f'share_drift_unexpected_accounts{{image_id="{IMAGE}"}}', 0.0)

    def required_account(self):
        self.say(f"The share with {CUSTOMER}, a customer who must have the image, disappears")
        then = time.monotonic()
        self.simulator.control("unshare", image=IMAGE, accounts=[CUSTOMER])
        self.metric(f'share_drift_missing_accounts{{image_id="{IMAGE}"}}', 1.0)
        self.notified("ShareDriftRequiredAccountMissing", after=then)

    def revoked_key(self):
        self.say("The monitor's key is disabled: forbidden is alerted, and nothing clears")
        then = time.monotonic()
        self.simulator.control("keys/disable", id=Simulator.KEY)
        self.notified("ShareDriftPermissionLost", after=then)
        self.world(f"the image is shared with {CUSTOMER} again, which nobody can see without a key")
        self.simulator.control("share", image=IMAGE, accounts=[CUSTOMER])
        self.metric(f'share_drift_missing_accounts{{image_id="{IMAGE}"}}', 1.0)

    def rotated(self):
        self.say("A new key is put in place, into the same file, without a restart")
        then = time.monotonic()
        self.simulator.control("keys", id="rotated-key", secret="rotated-secret")
        write_key(self.simulator, "rotated-key", "rotated-secret")
        self.metric(f'share_drift_missing_accounts{{image_id="{IMAGE}"}}', 0.0)
        self.notified("ShareDriftPermissionLost", "resolved", after=then)

    def bad_reload(self):
        self.say("A config with a typo is reloaded: refused whole, the old one stays in force")
        then = time.monotonic()
        good = self.daemon.config.read_text()
        self.daemon.write_config(good.replace("allowed:", "alowed:"))
        status, _, body = self.daemon.http("/-/reload", data=b"", method="POST")
        print(f"    POST /-/reload answered {status}:")
        for line in body.decode().strip().splitlines()[1:]:
            print(f"                 {line.replace(str(self.directory) + '/', '')}")
        if status != 500:
            raise Failed(f"a bad reload was answered with {status}")
        self.notified("ShareDriftConfigReloadFailed", after=then)
        self.world("the file is corrected and reloaded")
        self.daemon.write_config(good)
        if self.daemon.http("/-/reload", data=b"", method="POST")[0] != 200:
            raise Failed("the good config was refused")

    def while_down(self):
        self.say(f"The image is shared with {STRANGER} while the daemon is down, which finds it at its next start")
        then = time.monotonic()
        stopped = self.daemon.stop()
        if stopped != 0:
            raise Failed(f"the daemon ended with {stopped}")
        self.simulator.control("share", image=IMAGE, accounts=[STRANGER])
        time.sleep(1.5)
        self.daemon = Daemon(self.directory, None, "--web.enable-lifecycle", key=None, port=self.daemon.port)
        opened = wait_for("the drift of the outage", lambda: [
            e for e in self.daemon.events("drift_opened", account_id=STRANGER)
            if e["ts"] >= self.daemon.events("started")[-1]["ts"]])[-1]
        print(f"    log          drift_opened: access began in ({opened['not_before']}, {opened['first_seen']}]")
        self.notified("ShareDriftUnexpectedAccount", after=then)

    def whole_account(self):
        self.say(f"The account has {FLEET} images more: `baseline --all` writes a whole configuration, with one rule for those to come")
        self.simulator.control("unshare", image=IMAGE, accounts=[STRANGER])
        for number in range(FLEET):
            self.simulator.control("images", id=f"m-fleet-{number}", name=f"fleet-{number}", accounts=[PARTNER])
        bare = self.directory / "bare.yml"
        bare.write_text(config(self.simulator).split("images:")[0].replace("interval: 1s, stale_after: 5s", "interval: 2s"))
        code, written, errors = run("baseline", "--all", f"--config.file={bare}", key=None)
        if code != 0:
            raise Failed(f"baseline --all ended with {code}: {errors}")
        print(f"    baseline     {written.count('- id:')} images and {re.search(r'discover:.*?#', written, re.S)[0].split('- ')[1].rstrip(' #')}")
        self.daemon.write_config(re.sub(r': ""', ": the-demo", written))  # a person says why, and whose it is
        status, _, body = self.daemon.http("/-/reload", data=b"", method="POST")
        if status != 200:
            raise Failed(f"the configuration of the whole account was refused: {body.decode()}")
        self.metric("share_drift_watched_images", FLEET + 1.0)
        self.metric("share_drift_inventory_unwatched_images", 0.0)

    def nobody_touched_a_file(self):
        self.say(f"An image is built and shared with {STRANGER}; nobody touches a file, nobody reloads")
        then = time.monotonic()
        before = self.daemon.config.read_bytes()
        self.simulator.control("images", id=NEW_IMAGE, name="edge-next", accounts=[STRANGER])
        found = self.daemon.wait_event("image_discovered", image_id=NEW_IMAGE)
        print(f"    log          {found['msg']}")
        self.metric(f'share_drift_unexpected_accounts{{image_id="{NEW_IMAGE}"}}', 1.0)
        paged = wait_for("the page about the new image", lambda: [
            when for when, a in self.sink.alerts("ShareDriftUnexpectedAccount", "firing")
            if when >= then and a["labels"]["image_id"] == NEW_IMAGE])[0]
        print(f"    notification {GREEN}ShareDriftUnexpectedAccount firing{END} for {NEW_IMAGE}, {paged - then:.1f} s after it was built")
        if self.daemon.config.read_bytes() != before:
            raise Failed("somebody touched the configuration")

    STEPS = (clean, foreign_account, removed, throttled, required_account, revoked_key, rotated, bad_reload, while_down, whole_account,
             nobody_touched_a_file)
    FAST = 4


def play(directory, keep, fast):
    simulator = keep(Simulator(directory))
    simulator.control("images", id=IMAGE, name="edge-base", accounts=[PARTNER, CUSTOMER])
    simulator.key_file = directory / "aliyun-key"
    write_key(simulator, Simulator.KEY, Simulator.SECRET)
    daemon = Daemon(directory, config(simulator), "--web.enable-lifecycle", key=None)
    sink = keep(WebhookSink())
    alertmanager = keep(Alertmanager(directory, alertmanager_config(sink, {r"group_wait: \w+": "group_wait: 0s", r"group_interval: \w+": "group_interval: 1s"})))
    prometheus = keep(Prometheus(directory, prometheus_config(daemon, alertmanager)))
    story = Story(simulator, daemon, prometheus, alertmanager, sink, directory)
    keep(type("Latest", (), {"stop": lambda _: story.daemon.stop()})())
    print(f"daemon {daemon.url}/  Prometheus {prometheus.url}/classic/alerts  Alertmanager {alertmanager.url}  "
          f"simulator {simulator.url}/_sim/state")
    for step in story.STEPS[:story.FAST] if fast else story.STEPS:
        step(story)
    print(f"\n{GREEN}{BOLD}Every step happened, in {time.monotonic() - story.began:.0f} s.{END}")
    return story


def main():
    parser = argparse.ArgumentParser(prog="./dev demo")
    parser.add_argument("--keep", action="store_true", help="leave everything up until Ctrl-C")
    parser.add_argument("--fast", action="store_true", help="only the first four steps, as far as the API that fails")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # either way all that was started is ended
        signal.signal(number, signal.default_int_handler)
    with workspace() as (directory, keep):
        try:
            story = play(directory, keep, arguments.fast)
        except Failed as miss:
            print(f"\nThis step did not happen: {miss}", file=sys.stderr)
            for log in sorted(directory.glob("*.log")):
                print(f"--- {log.name}, last lines", *log.read_text(errors="replace").splitlines()[-8:], sep="\n",
                      file=sys.stderr)
            return 1
        if arguments.keep:
            story.stay()
        else:
            print(NEXT)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
