#!/usr/bin/env python3
"""One fleet, one Prometheus, and 1, 3, then 7 shards of the real daemon, and back to 3, one of them doubled, one lost.

What Prometheus must be able to say at each stage: every image is watched, each by exactly one shard, the drifts add up to
what the simulator holds, the rules about shards stay silent unless one is doubled or lost, and going from one number of
shards to another moves only what it must: images stay, or go to a shard that is new, or leave one that ends.
"""
import json
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Prometheus, Simulator, wait_for, workspace  # noqa: E402

IMAGES = 140
DRIFTING = 20       # of them are shared with a stranger
STRANGER = "9999999999999999"
WINDOW = "5s"       # instead of the rules' five minutes


def config(simulator):
    lines = ["profiles:", "  default:", f"    endpoint: {simulator.url}", "    credentials: {source: environment}",
             "    requests_per_second: 0", "poll: {interval: 1s, spread: none, confirm_clears: 1}", "images:"]
    for number in range(1, IMAGES + 1):
        lines += [f"  - id: m-sim-{number}", '    allowed: ["1715107400000001", "1715107400000002"]']
    return "\n".join(lines) + "\n"


def rule(name):
    """The expression of an alert as it ships, but for how far it looks back."""
    text = (ROOT / "dashboards" / "alerts" / "share-drift.rules.yml").read_text()
    body = re.search(rf"- alert: {name}\n\s+expr: \|\n((?:\s{{10,}}.*\n)+?)\s+(?:for|labels|keep_firing_for):", text)
    if not body:
        raise Failed(f"no rule {name}")
    return body[1].replace("[5m]", f"[{WINDOW}]")


class Stage:
    """A number of shards that runs, and what Prometheus says of it."""

    RULES = ("ShareDriftShardMissing", "ShareDriftShardDoubled")

    def __init__(self, directory, stop_later, simulator, prometheus, targets, job, count):
        self.count, self.prometheus, self.targets = count, prometheus, targets
        self.job, self.only = job, f'job="{job}"'
        # A shard keeps its database from stage to stage, as a pod keeps its volume.
        self.shards = [stop_later(Daemon(directory, config(simulator), f"--shard.index={index}", f"--shard.count={count}",
                                         f"--storage.path={directory}/shard-{index}.db", "--log.level=warn",
                                         name=f"shard-{index}-of-{count}", wait=False)) for index in range(count)]
        for shard in self.shards:
            shard.wait_ready()
        self.show()

    def show(self):
        """Hands Prometheus the shards that run, under this stage's own job name."""
        text = json.dumps([{"targets": [f"127.0.0.1:{shard.port}"], "labels": {"job": self.job, "ordinal": str(index)}}
                           for index, shard in enumerate(self.shards) if shard.running()])
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.targets)

    def series(self, expression):
        return self.prometheus.query(expression)

    def sum(self, name):
        found = self.series(f"sum({name}{{{self.only}}})")
        return found[0][1] if found else None

    def wait_whole(self):
        """Until Prometheus has scraped every shard after its first cycle."""
        def whole():
            up = self.series(f"sum(up{{{self.only}}}) == {self.count} and count(up{{{self.only}}}) == {self.count}")
            return up and self.sum("share_drift_watched_images") == IMAGES and \
                self.sum("share_drift_unexpected_accounts") == DRIFTING
        wait_for(f"{self.count} shards with {IMAGES} images in Prometheus", whole, every=0.25)

    def owners(self):
        """{image: ordinal}; fails unless each image is watched once."""
        owners = {}
        for labels, _ in self.series(f"share_drift_image_info{{{self.only}}}"):
            image, ordinal = labels["image_id"], int(labels["ordinal"])
            if owners.setdefault(image, ordinal) != ordinal:
                raise Failed(f"{image} is watched by the shards {owners[image]} and {ordinal}")
        missing = {f"m-sim-{n}" for n in range(1, IMAGES + 1)} - set(owners)
        if missing or len(owners) != IMAGES:
            raise Failed(f"{self.count} shards: nobody watches {sorted(missing)[:5]} ({len(missing)})")
        return owners

    def check(self):
        self.wait_whole()
        owners = self.owners()
        sizes = [sum(1 for o in owners.values() if o == ordinal) for ordinal in range(self.count)]
        if min(sizes) == 0:
            raise Failed(f"a shard without images: {sizes}")
        for name, expected in (("share_drift_shared_accounts", IMAGES * 2 + DRIFTING),
                               ("share_drift_listing_complete", IMAGES),
                               ("share_drift_allowed_accounts", IMAGES * 2)):
            if self.sum(name) != expected:
                raise Failed(f"{self.count} shards: the sum of {name} is {self.sum(name)}, not {expected}")
        ordinals = sorted(value for _, value in self.series(f"share_drift_shard_ordinal{{{self.only}}}"))
        if ordinals != list(range(self.count)):
            raise Failed(f"the shards call themselves {ordinals}")
        if self.speaking():
            raise Failed(f"{self.count} shards: {self.speaking()} without a cause")
        print(f"{self.count} shards: {IMAGES} images, {sizes} each, {DRIFTING} drifts", flush=True)
        return owners

    def speaking(self):
        """The rules about shards that would fire for this job."""
        return {name for name in self.RULES for labels, _ in self.series(rule(name)) if labels["job"] == self.job}

    def since(self):
        return {labels["image_id"]: value for labels, value in
                self.series(f'share_drift_account_since_timestamp_seconds{{{self.only},kind="unexpected"}}')}

    def end(self):
        for shard in self.shards:
            if shard.running() and shard.stop() != 0:
                raise Failed(f"{shard.name} ended with {shard.process.returncode}")


def check_move(before, after, old, new):
    moved = {image for image in before if before[image] != after[image]}
    if new > old:
        wrong = [image for image in moved if after[image] < old]
    else:
        wrong = [image for image in moved if before[image] < new]
    if wrong:
        raise Failed(f"{old} -> {new} shards moved without need: {wrong[:5]} ({len(wrong)})")
    share, fair = len(moved) / len(before), abs(new - old) / max(new, old)
    if not 0.6 * fair < share < 1.4 * fair:
        raise Failed(f"{old} -> {new} shards moved {share:.0%} of the images, {fair:.0%} would be fair")
    print(f"{old} -> {new} shards: {share:.0%} of the images moved, {fair:.0%} is the least that levels them", flush=True)
    return moved


def check_alerts(stage, directory, stop_later, simulator):
    twin = stop_later(Daemon(directory, config(simulator), "--shard.index=0", f"--shard.count={stage.count}",
                             "--log.level=warn", name="twin"))
    stage.shards.append(twin)
    stage.show()
    wait_for("the rule about a doubled shard", lambda: stage.speaking() == {"ShareDriftShardDoubled"}, every=0.25)
    twin.stop()
    stage.shards[1].stop()
    wait_for("the rule about a missing shard", lambda: stage.speaking() == {"ShareDriftShardMissing"}, every=0.25)
    print("a doubled shard and a missing one are told", flush=True)


def main():
    begin = time.monotonic()
    with workspace() as (directory, stop_later):
        simulator = stop_later(Simulator(directory, f"--images={IMAGES}", "--accounts=2"))
        for number in range(1, DRIFTING + 1):
            simulator.control("share", image=f"m-sim-{number}", accounts=[STRANGER])
        targets = directory / "targets.json"
        targets.write_text("[]")
        prometheus = stop_later(Prometheus(directory, f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 1h}}
scrape_configs:
  - job_name: unnamed
    file_sd_configs: [{{files: [{targets}], refresh_interval: 1s}}]
"""))
        owners, since, last = {}, {}, 0
        for turn, count in enumerate((1, 3, 7, 3)):
            stage = Stage(directory, stop_later, simulator, prometheus, targets, f"turn-{turn}", count)
            now, now_since = stage.check(), stage.since()
            if owners:
                moved = check_move(owners, now, last, count)
                forgot = [image for image in since if image not in moved and since[image] != now_since.get(image)]
                if forgot:
                    raise Failed(f"images that stayed with their shard forgot since when they drift: {forgot[:5]}")
            owners, since, last = now, now_since, count
            if turn == 3:
                check_alerts(stage, directory, stop_later, simulator)
            stage.end()
        print(f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
