#!/usr/bin/env python3
"""What is large stays within the unit's MemoryMax: large_fleet.py [NAME...]

Twelve clients ask for the page, the metrics and the list of 50,000 images at once, each whole and each in gzip, three times over. All are
answered. An API names more accounts than there is room for. The daemon never takes more than LIMIT_MIB: the unit's 512 MiB less what the
kernel counts beside it.
"""
import concurrent.futures
import gzip
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, fetch, wait_for, workspace  # noqa: E402

IMAGES, ACCOUNTS, ROUNDS = 50_000, 3, 3
LIMIT_MIB = 440
PATHS = ["/", "/metrics", "/api/v1/images"]


def peak_mib(daemon):
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text())[1]) // 1024


def ask(daemon, path, coding):
    status, headers, body = fetch(daemon.url + path, headers={"Accept-Encoding": coding}, timeout=300)
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if status != 200 or body.count(b"m-sim-") < IMAGES:
        raise Failed(f"{path} in {coding}: {status}, {body.count(b'm-sim-')} images")


def many_images(directory, keep):
    """50,000 images, and twelve large answers at a time."""
    simulator = keep(Simulator(directory, f"--images={IMAGES}", f"--accounts={ACCOUNTS}"))
    images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, IMAGES + 1))
    daemon = keep(Daemon(directory, f'profiles:\n  default: {{endpoint: "{simulator.url}", requests_per_second: 0, concurrency: 32}}\n'
                                    f"poll: {{interval: 1h, spread: none}}\ninventory: off\nimages:\n{images}", wait=False))
    wait_for("every image to be polled", lambda: daemon.http("/-/ready")[0] == 200)
    polled = peak_mib(daemon)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for _ in range(ROUNDS):
            for answer in [pool.submit(ask, daemon, path, coding) for path in PATHS for coding in ("identity", "gzip") for _ in "12"]:
                answer.result()
    return daemon, f"{polled} MiB when polled"


def many_accounts(directory, keep):
    """An API that names 10,000 accounts for each of fifty images: what there is room for is told, the rest is unknown, and said to be."""
    simulator = keep(Simulator(directory, "--images=50", "--accounts=10000"))
    images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, 51))
    daemon = keep(Daemon(directory, f'profiles:\n  default: {{endpoint: "{simulator.url}", requests_per_second: 0, concurrency: 16}}\n'
                                    f"poll: {{interval: 10s}}\ninventory: off\nimages:\n{images}"))
    wait_for("every image to be polled", lambda: daemon.http("/-/ready")[0] == 200)

    def settled():
        told = {n: daemon.value("share_drift_unexpected_accounts", image_id=f"m-sim-{n}") for n in range(1, 51)}
        return told, [n for n in told if told[n] < 10_000]
    told, cut = settled()
    if sum(told.values()) != 250_500 or not cut:
        raise Failed(f"there is room for 250,500 accounts, and {told} are told")
    for n in cut:
        if daemon.value("share_drift_listing_complete", image_id=f"m-sim-{n}") != 0 or daemon.state(f"m-sim-{n}") != "incomplete":
            raise Failed(f"m-sim-{n} is cut, and not said to be incomplete")
        if daemon.value("share_drift_unlisted_accounts", image_id=f"m-sim-{n}") != 10_000 - told[n]:
            raise Failed("how many are left out is not told")
    if not daemon.value("share_drift_listing_failures_by_reason_total", reason="too_large"):
        raise Failed("no reason is counted")
    polled = daemon.value("share_drift_listing_duration_seconds_count")
    wait_for("the same again", lambda: daemon.value("share_drift_listing_duration_seconds_count") >= polled + 50)
    if settled()[0] != told:
        raise Failed(f"what was told was {told}, and is {settled()[0]}")
    return daemon, f"{sum(told.values()):.0f} accounts of 500,000"


def main():
    for play in (many_images, many_accounts):
        if sys.argv[1:] and play.__name__ not in sys.argv[1:]:
            continue
        with workspace() as (directory, keep):
            daemon, seen = play(directory, keep)
            peak = peak_mib(daemon)
            print(f"{play.__name__}: {seen}, {peak} MiB at most", flush=True)
            if daemon.stop() != 0:
                raise Failed("it did not stop cleanly")
            if daemon.events("state_rejected"):
                raise Failed("the state was set aside")
            if peak > LIMIT_MIB:
                raise Failed(f"more than {LIMIT_MIB} MiB")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
