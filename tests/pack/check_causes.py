#!/usr/bin/env python3
"""One cause, one page: each cause on 300 images of 3 teams, with real Prometheus and Alertmanager: check_causes.py SOURCE_DIR.

Prints how many notifications each receiver gets when the cause begins and when it ends, and the longest text: the table in
dashboards/README.md. Configs and rules are the shipped ones; every time in them is divided by SPEED, and so are the polls.
"""
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import notification_templates

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import (Alertmanager, Failed, Handler, Prometheus, WebServer, alertmanager_config, fetch, wait_for,  # noqa: E402
                     workspace)

SPEED = 5  # an evaluation of 300 alerts takes 0.4 s on a busy machine and comes every 3 s
INTERVAL = 300 / SPEED  # of the polls
IMAGES, NAMED = 300, 200
TEAMS = ["edge-os", "delivery", "media"]
STRANGER, PARTNER = "4444444444444444", "2222222222222222"
MOST, LONGEST = 2, 3000
AT_A_TIME = 3
TEMPLATES = ["sharedrift.subject", "sharedrift.text", "sharedrift.html", "sharedrift.short", "sharedrift.slack.text", "ding.link.content"]


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m|h)", text).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def faster(text, pattern):
    """The durations that the pattern's last group finds, divided by SPEED."""
    return re.sub(pattern, lambda m: m[0][:m.start(m.lastindex) - m.start()] + f"{seconds(m[m.lastindex]) * 1000 // SPEED}ms"
                  + m[0][m.end(m.lastindex) - m.start():], text)


class Exporter(WebServer):
    """What the daemon would say of 300 images whose polls are spread over the interval, while a cause lasts from `begun` to `ended`."""

    def __init__(self, cause):
        self.cause, self.begun, self.ended = cause, float("inf"), float("inf")
        exporter = self

        class Page(Handler):
            def do_GET(self):
                dead = exporter.cause == "exporter dead" and exporter.begun <= time.time() < exporter.ended
                self.answer(503 if dead else 200, exporter.page().encode(), "text/plain; version=0.0.4; charset=utf-8")
        super().__init__(Page)

    def polls(self, number):
        """The image's last poll, and how many there were since the cause began and since it ended."""
        phase = number * INTERVAL / IMAGES
        now = time.time()
        last = now - (now - phase) % INTERVAL

        def since(moment):
            return 0 if last < moment else int((last - moment) // INTERVAL) + 1
        return last, since(self.begun), since(self.ended)

    def page(self):
        lines, drifts = [], []
        for number in range(IMAGES):
            last, bad, good = self.polls(number)
            image = f'image_id="m-{number:03}"'
            state, complete, unexpected, missing = "ok", last, 0, 0
            failed = bad > 0 and good == 0
            if failed and self.cause in ("API down", "key revoked", "lists incomplete"):
                state = {"API down": "unreachable", "key revoked": "forbidden", "lists incomplete": "incomplete"}[self.cause]
                complete = last - bad * INTERVAL
            if self.cause == "one stranger on all" and bad > 0 and good < 2:
                unexpected = 1
                drifts.append((last - (bad - 1) * INTERVAL, image, STRANGER, "former-contractor", "unexpected"))
            if self.cause == "required account lost" and bad > 1 and good == 0:
                missing = 1
                drifts.append((last - (bad - 2) * INTERVAL, image, PARTNER, "partner-north", "missing"))
            lines += [f'share_drift_image_info{{{image},image_name="edge-{number}",team="{TEAMS[number % 3]}",severity="page",'
                      f'profile="default",source="configured"}} 1',
                      f'share_drift_image_state{{{image},state="{state}"}} 1', f"share_drift_poll_interval_seconds{{{image}}} {INTERVAL}",
                      f"share_drift_listing_last_complete_timestamp_seconds{{{image}}} {complete}",
                      f"share_drift_unexpected_accounts{{{image}}} {unexpected}", f"share_drift_missing_accounts{{{image}}} {missing}",
                      f"share_drift_unexpected_accounts_min{{{image}}} 0", f"share_drift_listings_total{{{image}}} 9"]
        for since, image, account, name, kind in sorted(drifts)[:NAMED]:
            lines.append(f'share_drift_account_since_timestamp_seconds{{{image},account_id="{account}",account_name="{name}",kind="{kind}"}} {since}')
        lines += ['share_drift_profile_info{profile="default",endpoint="https://ens.aliyuncs.com"} 1',
                  f"share_drift_account_series_dropped {max(0, len(drifts) - NAMED)}", 'share_drift_build_info{version="1",revision="1"} 1',
                  "share_drift_state_ok 1", "share_drift_config_last_reload_successful 1", "share_drift_clears_held 0"]
        return "\n".join(lines) + "\n"


class Sink(WebServer):
    def __init__(self):
        received = self.received = []

        class Channel(Handler):
            def do_POST(self):
                received.append((self.path.strip("/"), json.loads(self.body())))
                self.answer(200, b"{}", "application/json")
        super().__init__(Channel)


def rules(directory):
    text = (ROOT / "dashboards/alerts/share-drift.rules.yml").read_text()
    text = faster(text, r"(?m)^ +for: (\d+m)$")
    text = faster(text, r"\[(5m|15m)\]")
    path = directory / "share-drift.rules.yml"
    path.write_text(text)
    return path


def prometheus_config(directory, exporter, alertmanager):
    step = f"{15_000 // SPEED}ms"
    return f"""\
global: {{scrape_interval: {step}, evaluation_interval: {step}, scrape_timeout: {step}}}
rule_files: ["{rules(directory)}"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager.url.removeprefix('http://')}"]}}]}}]}}
scrape_configs: [{{job_name: share-drift, static_configs: [{{targets: ["{exporter.address}"]}}]}}]
"""


def texts(body):
    """The length of the longest text that any template makes of a notification."""
    lengths = []
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file, tempfile.TemporaryDirectory() as folder:
        json.dump(body, file)
        file.flush()
        templates = notification_templates.for_amtool(ROOT, pathlib.Path(folder))
        for name in TEMPLATES:
            kind = "html" if name.endswith("html") else "text"
            done = subprocess.run(["amtool", "template", "render", f"--template.glob={templates}/*.tmpl",
                                   f"--template.data={file.name}", f"--template.type={kind}", f'--template.text={{{{ template "{name}" . }}}}'],
                                  capture_output=True, text=True, timeout=300)
            if done.returncode != 0 or "<no value>" in done.stdout:
                raise Failed(f"{name}: {done.stderr}{done.stdout}")
            lengths.append(len(done.stdout))
    return max(lengths)


class Play:
    """One cause from its begin until all is quiet again."""

    def __init__(self, cause, expected, directory, keep):
        self.cause, self.expected = cause, expected
        self.exporter, self.sink = keep(Exporter(cause)), keep(Sink())
        self.alertmanager = keep(Alertmanager(directory, faster(alertmanager_config(self.sink, {}), r"(?:group_wait|group_interval): (\d+[smh])")))
        self.prometheus = keep(Prometheus(directory, prometheus_config(directory, self.exporter, self.alertmanager)))

    def firing(self):
        return collections.Counter(labels["alertname"] for labels in self.prometheus.firing() if labels["alertname"] != "ShareDriftWatchdog")

    def quiet(self):
        """Everything that could still be told has had its turn."""
        time.sleep(INTERVAL + 2 * seconds("6m") / SPEED)

    def notifications(self, begin, end):
        return [(path, body) for path, body in self.sink.received[begin:end] if path != "heartbeat"]

    def run(self):
        self.prometheus.wait_query("count_over_time(share_drift_build_info[1m]) > 4", bool)
        if self.firing() or self.notifications(0, None):
            raise Failed(f"fires before it begins: {self.firing()}")
        self.exporter.begun = time.time()
        wait_for(f"{self.expected} to fire", lambda: self.firing()[self.expected])
        time.sleep(3 * INTERVAL)
        self.quiet()
        self.at_end = len(self.sink.received)
        self.exporter.ended = time.time()
        wait_for("everything to end", lambda: not self.firing())
        self.quiet()

    def told(self, receiver):
        """What each notification was about, for the message."""
        return [(body["status"], body["groupLabels"], len(body["alerts"])) for path, body in self.notifications(0, None) if path == receiver]

    def missed(self):
        """Evaluations that Prometheus left out: on a machine that stands still for a while, groups fill up in one more step."""
        own = fetch(self.prometheus.url + "/metrics")[2].decode()
        return sum(map(float, re.findall(r"(?m)^prometheus_rule_group_iterations_missed_total\{.*\} (\S+)$", own)))

    def report(self):
        """(begin, end, longest text): notifications by receiver."""
        parts = [self.notifications(0, self.at_end), self.notifications(self.at_end, None)]
        counts = [collections.Counter(path for path, _ in part) for part in parts]
        longest = max(texts(body) for part in parts for _, body in part)
        told = {alert["labels"]["alertname"] for _, body in parts[0] for alert in body["alerts"]}
        if self.expected not in told:
            raise Failed(f"{self.cause}: {self.expected} was not told, but {told}")
        ends = {alert["labels"]["alertname"] for _, body in parts[1] for alert in body["alerts"] if alert["status"] == "resolved"}
        if self.expected not in ends:
            raise Failed(f"{self.cause}: the end of {self.expected} was not told, but {ends}")
        return counts, longest


CAUSES = {"API down": "ShareDriftApiFailing", "one stranger on all": "ShareDriftMassShare", "key revoked": "ShareDriftPermissionLost",
          "lists incomplete": "ShareDriftApiFailing", "required account lost": "ShareDriftRequiredAccountMissing",
          "exporter dead": "ShareDriftExporterDown"}


def shown(counts):
    return ", ".join(f"{path} {count}" for path, count in sorted(counts.items())) or "none"


def played(cause):
    """(its row of the table, what is wrong)"""
    with workspace() as (directory, keep):
        play = Play(cause, CAUSES[cause], directory, keep)
        try:
            play.run()
            counts, longest = play.report()
        except Failed as fault:
            return f"| {cause} | failed | | |", [f"{cause}: {fault}"]
        missed = play.missed()
    faults = [f"{cause}: {count} notifications to {path} ({missed:.0f} evaluations missed): {play.told(path)}" for part in counts
              for path, count in part.items() if count > MOST]
    if longest > LONGEST:
        faults.append(f"{cause}: a text of {longest} characters")
    return f"| {cause} | {shown(counts[0])} | {shown(counts[1])} | {longest} |", faults


def main():
    faults = []
    print("| cause on 300 images of 3 teams | when it begins | when it ends | longest text |\n|---|---|---|---|", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:  # they wait more than they work
        for row, wrong in pool.map(played, sys.argv[2:] or CAUSES):
            print(row, flush=True)
            faults += wrong
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
