#!/usr/bin/env python3
"""Does anything grow, cycle by cycle? level.py [CYCLES]

The shortest interval of a poll is a second, so that 10,000 cycles would take three hours. The real daemon therefore lives in
faster time: libfaketime makes each of its seconds, and of the simulator's, last 5 ms. Nothing else about them is different.
It polls at 0 ms latency and is scraped meanwhile; what it uses is compared with what it used after a warm-up.
"""
import contextlib
import http.client
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import Daemon, Failed, Simulator, wait_for, workspace  # noqa: E402

IMAGES = 10
SPEED = 200
WARM_UP = 100            # cycles
GROWTH = 1.03            # of resident memory; in 600 cycles that is 100 bytes a poll
CONNECTIONS = 8 + 4      # to the API, by default as many as requests at a time, and of scrapes: they come and go,
WORKERS = 2              # and so do the web server's threads


def config(simulator):
    images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, IMAGES + 1))  # a drift each
    return ("profiles:\n  default:\n"
            f"    endpoint: {simulator.url}\n    credentials: {{source: environment}}\n    requests_per_second: 0\n"
            "    timeout: 5m\n"  # a second and a half on the wall
            f"poll: {{interval: 1s, spread: none}}\nimages:\n{images}")


class Usage:
    """What a process uses now."""

    def __init__(self, pid):
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        self.rss = int(status["VmRSS"].split()[0])
        self.threads = int(status["Threads"])
        self.files = self.sockets = 0
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(link).startswith("socket:"):
                    self.sockets += 1
                else:
                    self.files += 1

    def __str__(self):
        return f"{self.rss} KiB, {self.threads} threads, {self.files} files, {self.sockets} sockets"


class Life:
    """A daemon in faster time."""

    def __init__(self, directory, stop_later):
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        faster = {"LD_PRELOAD": str(library), "FAKETIME": f"+0 x{SPEED}"}
        self.simulator = stop_later(Simulator(directory, f"--images={IMAGES}", "--accounts=3", name="sim-level",
                                              env=faster))
        self.daemon = stop_later(Daemon(directory, config(self.simulator), "--log.level=error", name="level",
                                        env=faster, wait=False))
        self.polls = self.failures = 0

    def look(self):
        """A scrape. Deadlines of the web server are 200 times shorter, too: on a crowded machine some are missed."""
        with contextlib.suppress(OSError, http.client.HTTPException, Failed):
            self.daemon.http("/metrics", headers={"Accept-Encoding": "gzip"})
            samples = self.daemon.metrics()
            self.failures = sum(value for (name, _), value in samples.items() if name == "share_drift_listing_failures_by_reason_total")
            self.polls = samples[("share_drift_listing_duration_seconds_count", frozenset())]
        if not self.daemon.running():
            raise Failed(f"the daemon ended: {self.daemon.output()[-2000:]}")
        return self.polls

    def until(self, cycles):
        wait_for(f"cycle {cycles}", lambda: self.look() >= cycles * IMAGES, 120 + cycles / 20, 0.1)
        return Usage(self.daemon.pid)


def measure(directory, stop_later, cycles):
    """(figures, usage after the warm-up, usage at the end)"""
    begin = time.monotonic()
    life = Life(directory, stop_later)
    warm = life.until(WARM_UP)
    polls_warm = life.polls
    end = life.until(WARM_UP + cycles)
    found = {"cycles": (life.polls - polls_warm) / IMAGES, "failures": life.failures, "seconds": time.monotonic() - begin,
             "growth_bytes_a_poll": (end.rss - warm.rss) * 1024 / (life.polls - polls_warm)}
    life.daemon.stop()
    life.simulator.stop()
    return found, warm, end


def judge(warm, end):
    """Raises Failed if anything grew."""
    if end.rss > warm.rss * GROWTH:
        raise Failed("memory grows with the polls")
    if end.threads > warm.threads + WORKERS or end.files > warm.files or end.sockets > warm.sockets + CONNECTIONS:
        raise Failed("threads or descriptors were left over")


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with workspace() as (directory, stop_later):
        found, warm, end = measure(directory, stop_later, cycles)
    print(f"{found['cycles']:,.0f} cycles of {IMAGES} images in {found['seconds']:.0f} s, "
          f"{found['failures']:.0f} polls failed\nafter the warm-up: {warm}\nat the end: {end}\n"
          f"growth: {found['growth_bytes_a_poll']:.1f} bytes a poll")
    judge(warm, end)


if __name__ == "__main__":
    main()
