#!/usr/bin/env python3
"""A state database from somebody hostile: crafted_state.py [NAME...]

The real daemon starts on each. It listens soon, says what it set aside, keeps what it learns in a new file, and needs little memory.
While it looks through a large one, SIGTERM ends it at once.
"""
import contextlib
import pathlib
import re
import resource
import signal
import sqlite3
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, slowness, wait_for, workspace  # noqa: E402

IMAGES, ACCOUNTS = 5, 3
LIMIT_MIB = 256  # half of the unit's MemoryMax
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<{}) "
CRAFTS = {
    "endless view": f"DROP TABLE sightings; CREATE VIEW sightings AS {ENDLESS} SELECT 'm-'||i, i, 0, 0, 0, NULL FROM n",
    "trigger that keeps nothing": "CREATE TRIGGER t BEFORE INSERT ON sightings BEGIN SELECT RAISE(IGNORE); END",
    "value of 900 MB": "INSERT INTO meta VALUES(CAST(zeroblob(900000000) AS TEXT), 1)",
    "20 million sightings": NUMBERS.format(20_000_000) + "INSERT INTO sightings SELECT 'm-1', 100000000+i, 0, 0, 0, NULL FROM n",
    "event numbers used up": "UPDATE sqlite_sequence SET seq=9223372036854775807",
    "million images": NUMBERS.format(1_000_000) + "INSERT INTO sightings SELECT 'm-'||i, i, 0, 0, 0, NULL FROM n",
}


def craft(path, sql):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-100000; {sql};")


def peak_mib(daemon):
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text())[1]) / 1024


def only_so_much_memory():
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))  # what grows without end fails instead of taking the machine


def main():
    missed = 0
    with workspace() as (directory, keep):
        simulator = keep(Simulator(directory, f"--images={IMAGES}", f"--accounts={ACCOUNTS}"))
        images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, IMAGES + 1))
        config = f'profiles:\n  default: {{endpoint: "{simulator.url}", requests_per_second: 0}}\npoll: {{interval: 1s}}\nimages:\n{images}'

        def start(wait):
            return Daemon(directory, config, wait=wait, preexec_fn=only_so_much_memory)

        def known(daemon):
            return daemon.value("share_drift_unexpected_accounts", image_id="m-sim-1") == ACCOUNTS
        database = directory / "daemon.db"

        def try_out(name):
            """What was seen."""
            daemon = start(wait=True)
            wait_for("drift", lambda: known(daemon))
            if daemon.stop() != 0 or daemon.events("state_rejected"):
                raise Failed("a sound database was not taken")
            craft(database, CRAFTS[name])
            stopped = "-"
            if database.stat().st_size > 100 << 20:
                daemon = start(wait=False)
                wait_for("it to read", lambda: peak_mib(daemon) > 8 and daemon.running())
                time.sleep(0.2)
                begun, unit = time.monotonic(), slowness()
                if daemon.stop(number=signal.SIGTERM) != 0:
                    raise Failed(f"SIGTERM ended it with {daemon.process.returncode}")
                stopped = f"{(time.monotonic() - begun) / unit:.1f} s"
                if (time.monotonic() - begun) / unit > 2:
                    raise Failed(f"SIGTERM took {stopped}")
                if not database.exists() or daemon.events("state_rejected"):
                    raise Failed("it was set aside before SIGTERM came: nothing was tried")
            begun, unit = time.monotonic(), slowness()
            daemon = start(wait=False)
            wait_for("it to listen", lambda: daemon.http("/-/healthy")[0] == 200)
            listens = (time.monotonic() - begun) / unit
            wait_for("drift", lambda: known(daemon))
            if daemon.value("share_drift_state_ok") != 0 or len(daemon.events("state_rejected", moved_to=None)) > 0:
                raise Failed("it was not set aside")
            reason = daemon.wait_event("state_rejected")["reason"]
            peak = peak_mib(daemon)
            if daemon.stop() != 0:
                raise Failed("it did not stop cleanly")
            for rejected in directory.glob("*.rejected-*"):
                rejected.unlink()
            daemon = start(wait=True)
            if daemon.value("share_drift_state_ok") != 1 or not known(daemon):
                raise Failed("what came after it was not kept")
            daemon.stop()
            daemon.log.unlink()
            if peak > LIMIT_MIB or listens > 20:
                raise Failed(f"listened after {listens:.1f} s, with {peak:.0f} MiB")
            return f"{listens:>9.1f} s {stopped:>9} {peak:>7.0f} MiB  {reason}"

        print(f"{'database':<28} {'listens':>11} {'SIGTERM':>9} {'peak':>11}  reason")
        for name in sys.argv[1:] or CRAFTS:
            try:
                print(f"{name:<28} {try_out(name)}", flush=True)
            except (OSError, Failed) as error:
                missed += 1
                print(f"{name:<28} MISSED: {error}", flush=True)
                for left in directory.glob("daemon.*"):
                    left.unlink()
    print(f"{missed} missed" if missed else "all of them were set aside")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
