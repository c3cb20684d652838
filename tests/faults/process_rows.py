"""What befalls the process itself: signals, configs, clocks, keys, descriptors and disks."""
import contextlib
import functools
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

from harness import Daemon, Failed, Simulator, wait_for, workspace
from rows import CLEAN, DRIFT, STRANGER, blind, config, place, proven

PAUSE = int(os.environ.get("SHAREDRIFT_PAUSE_SECONDS", "60"))


def with_daemon(act, **options):
    """A row: act(daemon, its simulator) on a daemon that has proven both images, and that must stop cleanly."""
    def run(own, simulator):
        daemon = Daemon(own, config(simulator.url), "--web.enable-lifecycle", **options)
        try:
            wait_for("the truth", lambda: proven(daemon))
            return act(daemon, simulator)
        finally:
            if daemon.running() and daemon.stop() != 0:
                raise Failed(f"ended with {daemon.process.returncode}")
    return run


def local_clock(hours, directory, simulator):
    """The daemon's wall clock jumps by an hour while it runs, and back; its steady clock does not."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    clock = directory / f"clock{hours}"
    clock.write_text("+0")
    environment = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def act(daemon, _):
        def skewed(seconds):
            return lambda: abs((daemon.value("share_drift_clock_skew_seconds", profile="default") or 0) - seconds) < 60
        clock.write_text(f"{hours * 3600:+d}")
        wait_for("the skew to be seen", skewed(-3600 * hours))
        wait_for("the truth by a wrong clock", lambda: proven(daemon))
        simulator.control("share", image=CLEAN, accounts=[STRANGER])
        try:
            daemon.wait_value("share_drift_unexpected_accounts", 1.0, image_id=CLEAN)
            clock.write_text("+0")
            wait_for("the skew to end", skewed(0))
        finally:
            simulator.control("unshare", image=CLEAN, accounts=[STRANGER])
        wait_for("the truth after it", lambda: proven(daemon))
        if [e["image_id"] for e in daemon.events("drift_closed")] != [CLEAN]:
            raise Failed("the clock closed a drift")
        return "skew seen, a new drift raised, one closed"
    return with_daemon(act, env=environment)(directory, simulator)


SLEPT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {  // adds what the file says to the one clock that goes on in a sleep
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, now);
  long slept = 0;
  FILE *file = id == CLOCK_BOOTTIME ? fopen(getenv("SLEPT"), "r") : NULL;
  if (file != NULL && fscanf(file, "%ld", &slept) == 1) now->tv_sec += slept;
  if (file != NULL) fclose(file);
  return result;
}
"""


def slept(directory, simulator):
    """The machine sleeps for ten hours: waits do not end meanwhile, and all knowledge is old."""
    library, hours = directory / "slept.so", directory / "slept"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library, "-ldl"], input=SLEPT, text=True, check=True, timeout=300)
    hours.write_text("0")
    text = config(simulator.url).replace("interval: 1s, stale_after: 4s", "interval: 1h, stale_after: 2h")
    daemon = Daemon(directory, text, env={"LD_PRELOAD": str(library), "SLEPT": str(hours)})
    try:
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("faults", kind="server_error")
        hours.write_text("36000")
        wait_for("the 0 to be withdrawn", lambda: daemon.value("share_drift_unexpected_accounts", image_id=CLEAN) is None)
        wait_for("a poll that is overdue", lambda: daemon.value("share_drift_listings_total", image_id=CLEAN) == 2)
        if daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) != 1:
            raise Failed("the drift gauge moved although nobody could see")
        simulator.control("faults/clear")
    finally:
        daemon.stop()
    return "the 0 withdrawn, polled at once"


def rotated_in_place(directory, simulator):
    """Another key in the file, the old one disabled, no restart."""
    key = directory / "key"

    def write(identity, secret):
        key.write_text(f"access_key_id={identity}\naccess_key_secret={secret}\n")
        key.chmod(0o600)
    simulator.control("keys", id="rotated-1", secret="fake-one")
    write("rotated-1", "fake-one")
    daemon = Daemon(directory, config(simulator.url, credentials=f'{{source: static_file, file: "{key}"}}'), name="rotated",
                    key=None)
    try:
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("keys/rotate", id="rotated-1", new_id="rotated-2", secret="fake-two")
        wait_for("forbidden", lambda: daemon.state(DRIFT) == "forbidden")
        write("rotated-2", "fake-two")
        wait_for("recovery", lambda: proven(daemon))
        if daemon.events("drift_closed"):
            raise Failed("the rotation closed a drift")
        return "forbidden, then proven by the new key"
    finally:
        daemon.stop()


def session_expired(directory, simulator):
    simulator.control("keys", id="STS.matrix", secret="fake", token="fake-token")
    environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.matrix", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "fake",
                   "ALIBABA_CLOUD_SECURITY_TOKEN": "fake-token"}
    daemon = Daemon(directory, config(simulator.url, credentials="{source: environment}"), name="session", key=None,
                    env=environment)
    try:
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("keys/expire", id="STS.matrix", in_seconds=0)
        seen = blind(daemon, ["forbidden"], ["key_rejected"])
        simulator.control("keys/expire", id="STS.matrix", in_seconds=3600)
        wait_for("recovery", lambda: proven(daemon))
        return f"{seen}, recovered"
    finally:
        daemon.stop()


@contextlib.contextmanager
def mounted(mount, options):
    """A file system in memory of its own; gives whether we may mount one."""
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(mount)], capture_output=True).returncode == 0
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", str(mount)], check=True)


def on_a_disk(name, options, act):
    """Runs act(daemon, simulator, mount) with the state on a file system of these options."""
    def run(directory, simulator):
        mount = directory / f"{name}-disk"
        with mounted(mount, options) as made:
            if not made:
                return "no right to mount here: not tried"
            daemon = Daemon(directory, config(simulator.url), f"--storage.path={mount / 'state.db'}", name=name)
            try:
                wait_for("the truth", lambda: proven(daemon))
                return act(daemon, simulator, mount)
            finally:
                daemon.stop()
    return run


def fill(daemon, simulator, mount):
    """A file system of half a megabyte that a big file fills."""
    ballast = mount / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
        while True:
            f.write(b"x" * 4096)
    simulator.control("share", image=CLEAN, accounts=[STRANGER])
    try:
        daemon.wait_value("share_drift_unexpected_accounts", 1.0, image_id=CLEAN)
        daemon.wait_value("share_drift_state_ok", 0.0)
        ballast.unlink()
        daemon.wait_value("share_drift_state_ok", 1.0)
    finally:
        simulator.control("unshare", image=CLEAN, accounts=[STRANGER])
    return "raised all the same, caught up"


def refuse_writes(daemon, _, __):
    daemon.wait_value("share_drift_state_ok", 0.0)
    if not daemon.events("state_rejected"):
        raise Failed("nothing was said")
    return "said, and went on in memory"


def holds_back_hup(pid):
    """Whether some thread has HUP blocked: the first one from the beginning of main on, and for ever the others, which are
    there before it waits for signals. While sigtimedwait() waits for a signal, the kernel shows it as not blocked."""
    return any(int(re.search(r"SigBlk:\s*(\w+)", status.read_text())[1], 16) & 1
               for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"))


def process(table):
    with workspace() as (directory, _):
        def row(fault, expected, act):
            def run():
                with place(directory, fault.replace(" ", "-")) as (own, simulator):
                    return act(own, simulator)
            table.row(fault, expected, run)

        def swapped(daemon, _):
            daemon.write_config("\x00 not: [a config")
            if daemon.http("/-/reload", data=b"", method="POST")[0] != 500:
                raise Failed("garbage was accepted")
            daemon.wait_value("share_drift_config_last_reload_successful", 0.0)
            wait_for("the old config in force", lambda: proven(daemon))
            return "refused, old one in force, gauge 0"
        row("config swapped for garbage", "refused, old one in force", with_daemon(swapped))

        def storm(daemon, _):
            for _ in range(200):
                daemon.send(signal.SIGHUP)
                time.sleep(0.005)
            wait_for("the truth after the storm", lambda: proven(daemon))
            opened = daemon.value("share_drift_opened_total", image_id=DRIFT, kind="unexpected")
            if opened != 1:
                raise Failed(f"the drift was counted {opened} times")
            return f"{len(daemon.events('config_reloaded'))} reloads, counters kept"
        row("HUP storm", "counters kept, drift stays", with_daemon(storm))

        def early_hup(own, simulator):
            for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.05):
                daemon = Daemon(own, config(simulator.url), wait=False)
                # What comes before main belongs to the loader; from the first line of main on the signal is held back.
                wait_for("main", lambda: holds_back_hup(daemon.pid), every=0.001)
                time.sleep(delay)
                daemon.send(signal.SIGHUP)
                daemon.wait_ready()
                if daemon.stop() != 0:
                    raise Failed("a HUP during the start ended it")
            return "started every time"
        row("HUP in every phase of the start", "started every time", early_hup)

        def descriptors(daemon, simulator):
            hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)[1]
            used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used, hard))
            simulator.control("faults", kind="reset", count=4)  # kept connections die; new ones need descriptors
            time.sleep(3)
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (hard, hard))
            wait_for("recovery", lambda: proven(daemon))
            return "recovered by itself"
        row("no file descriptors left", "recovers by itself", with_daemon(descriptors))

        def unheard(daemon, _):
            held = {os.readlink(f"/proc/{daemon.pid}/fd/{fd}") for fd in range(3)}
            if held != {"/dev/null"}:
                raise Failed(f"the standard descriptors are {held}")
            if daemon.value("share_drift_log_lines_total", level="error") or not daemon.value("share_drift_log_lines_dropped_total"):
                raise Failed("lines that nobody can read count as written")
            return "works, lines counted as dropped"
        row("no stdin, stdout and stderr", "works, lines counted as dropped",
            with_daemon(unheard, wrapper=("sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-')))

        def paused(daemon, _):
            daemon.send(signal.SIGSTOP)
            time.sleep(PAUSE)
            daemon.send(signal.SIGCONT)
            wait_for("the truth after the pause", lambda: proven(daemon))
            if daemon.events("drift_closed"):
                raise Failed("the pause closed a drift")
            return f"went on after {PAUSE} s"
        row(f"SIGSTOP {PAUSE} s, SIGCONT", "goes on, drift stays", with_daemon(paused))

        row("full disk", "state_ok 0, polling goes on, catches up", on_a_disk("full", "size=512k", fill))
        row("read-only state", "state_ok 0, polling goes on", on_a_disk("readonly", "ro", refuse_writes))

        def rotated(daemon, simulator):
            simulator.control("keys/disable", id=Simulator.KEY)
            wait_for("forbidden", lambda: daemon.state(DRIFT) == "forbidden")
            if daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) != 1:
                raise Failed("the drift gauge moved")
            simulator.control("keys/enable", id=Simulator.KEY)
            wait_for("recovery", lambda: proven(daemon))
            return "forbidden, then proven again"
        for hours, ahead in ((1, "ahead"), (-1, "behind")):
            row(f"local clock an hour {ahead}", "adopts the API's, drift stays", functools.partial(local_clock, hours))
        row("the machine slept ten hours", "the 0 withdrawn, polled at once", slept)
        row("key rotated in place", "forbidden at most, proven again", rotated_in_place)
        row("session token expired", "forbidden, then proven again", session_expired)
        row("key revoked, then given back", "forbidden, drift stays", with_daemon(rotated))
        table.run()
