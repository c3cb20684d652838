#!/usr/bin/env python3
"""The fault matrix: matrix.py api|network|process

Each row starts from the same truth: m-drift is shared with an account that must not have it, m-clean is in sync. While the
fault lasts the drift must stay open, the state must say why, and nobody may claim that m-clean is fine beyond its proof.
When it ends, both are proven again. No row may lose or invent a drift.
"""
import concurrent.futures
import contextlib
import functools
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, wait_for, workspace  # noqa: E402

ROWS_AT_A_TIME = 4
DRIFT, CLEAN, STRANGER, FRIEND = "m-drift", "m-clean", "4242424242424242", "1715107400000001"


def config(endpoint, **profile):
    settings = {"endpoint": endpoint, "requests_per_second": 0, "timeout": "700ms", "max_attempts": 2, **profile}
    lines = "".join(f"    {key}: {value}\n" for key, value in settings.items())
    return f"""\
profiles:
  default:
{lines}poll: {{interval: 1s, stale_after: 4s, spread: none}}
images:
  - {{id: {DRIFT}, allowed: ["{FRIEND}"]}}
  - {{id: {CLEAN}, allowed: ["{FRIEND}"]}}
"""


def populate(simulator):
    simulator.control("images", id=DRIFT, accounts=[FRIEND, STRANGER])
    simulator.control("images", id=CLEAN, accounts=[FRIEND])


def proven(daemon):
    return (daemon.value("share_drift_listing_complete", image_id=CLEAN) == 1
            and daemon.value("share_drift_listing_complete", image_id=DRIFT) == 1
            and daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) == 1
            and daemon.value("share_drift_unexpected_accounts", image_id=CLEAN) == 0)


def blind(daemon, states, reasons):
    """Nobody can see: the state and the reason say so, the drift stays, nothing was closed."""
    def seen():
        state = daemon.state(DRIFT)
        if state not in states:
            raise Failed(f"state {state}")
        failing = [r for r in reasons if (daemon.value("share_drift_poll_failures_total", reason=r) or 0) > 0]
        if not failing:
            raise Failed(f"none of the reasons {reasons} was counted")
        return f"{state}/{failing[0]}"
    what = wait_for(f"state {states} with reason {reasons}", seen, 12)
    if daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) != 1:
        raise Failed("the drift gauge moved although nobody could see")
    if daemon.events("drift_closed"):
        raise Failed("a drift was closed although nobody could see")
    return what


class Table:
    """Runs rows, a few at a time since they wait more than they work, and prints what was expected and what was seen."""

    def __init__(self):
        self.missed = 0
        self.rows = []

    def row(self, fault, expected, run):
        self.rows.append((fault, expected, run))

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(ROWS_AT_A_TIME) as pool:
            print(f"{'fault':<34} {'expected':<42} seen")
            for (fault, expected, _), seen in zip(self.rows, pool.map(self.see, self.rows)):
                print(f"{fault:<34} {expected:<42} {seen}", flush=True)
        self.rows.clear()

    def see(self, row):
        try:
            return row[2]()
        except (Failed, OSError, AssertionError) as miss:
            self.missed += 1
            return f"MISSED: {miss}"


@contextlib.contextmanager
def place(directory, name):
    """A directory and a simulator of a row's own."""
    own = directory / name
    own.mkdir()
    simulator = Simulator(own)
    try:
        populate(simulator)
        yield own, simulator
    finally:
        simulator.stop()


# Faults that the simulator injects into one running daemon: (name, fault, states, reasons)
API = [
    ("throttled for ever", dict(kind="throttle"), ["unreachable"], ["throttled"]),
    ("throttled with HTTP 429 and a hint", dict(kind="throttle", status=429, retry_after_ms=300), ["unreachable"], ["throttled"]),
    ("HTTP 500", dict(kind="server_error"), ["unreachable"], ["server_error"]),
    ("HTML page with 502", dict(kind="html"), ["unreachable"], ["server_error"]),
    ("HTML page with 200", dict(kind="html", status=200), ["incomplete"], ["protocol"]),
    ("redirect 302", dict(kind="redirect"), ["incomplete"], ["protocol"]),
    ("empty body", dict(kind="empty_body"), ["incomplete"], ["bad_payload", "protocol"]),
    ("reset in the middle", dict(kind="reset", bytes=100), ["unreachable"], ["reset", "timeout"]),  # its retry may run out of time
    ("slow drip", dict(kind="drip"), ["unreachable"], ["timeout"]),
    ("endless body", dict(kind="endless"), ["unreachable", "incomplete"], ["timeout", "too_large"]),
    ("huge body", dict(kind="huge", mb=5), ["incomplete"], ["too_large"]),
    ("cut body", dict(kind="cut"), ["unreachable", "incomplete"], ["reset", "protocol", "bad_payload", "timeout"]),
    ("gzip although not asked", dict(kind="gzip"), ["incomplete"], ["protocol"]),
    ("no answer within the deadline", dict(kind="latency", ms=5000), ["unreachable"], ["timeout"]),
    ("TotalCount too high", dict(kind="total_count", delta=3), ["incomplete"], ["count_mismatch"]),
    ("TotalCount too low", dict(kind="total_count", delta=-1), ["incomplete"], ["count_mismatch"]),
    ("TotalCount missing", dict(kind="total_form", form="omit"), ["incomplete"], ["count_mismatch", "bad_payload"]),
    ("Accounts missing", dict(kind="accounts", shape="missing"), ["incomplete"], ["count_mismatch"]),
    ("Accounts is text", dict(kind="accounts", shape="text"), ["incomplete"], ["bad_payload", "bad_row"]),
    ("a row that means nothing", dict(kind="garbage_rows", form="letters"), ["incomplete"], ["bad_row"]),
    ("echo of another image", dict(kind="echo", image_id="m-other"), ["incomplete"], ["echo_mismatch"]),
    ("echo of another page", dict(kind="echo", page_number=7), ["incomplete"], ["echo_mismatch"]),
    ("smaller pages than asked", dict(kind="small_pages", size=1), ["incomplete"], ["echo_mismatch"]),
    ("duplicate JSON keys", dict(kind="duplicate_keys"), ["incomplete"], ["bad_payload"]),
    ("deep JSON", dict(kind="deep"), ["incomplete"], ["bad_payload", "too_large"]),
    ("invalid UTF-8", dict(kind="bad_text", form="invalid_utf8"), ["incomplete"], ["bad_payload"]),
    ("error code on HTTP 200", dict(kind="code_on_success"), ["forbidden"], ["forbidden"]),
    ("NoPermission", dict(kind="error", code="NoPermission"), ["forbidden"], ["forbidden"]),
    ("code with a trailing tab", dict(kind="error", code="NoPermission\t"), ["forbidden"], ["forbidden"]),
    ("ens.interface.error", dict(kind="error", code="ens.interface.error"), ["unreachable"], ["server_error"]),
    ("signature refused", dict(kind="error", code="SignatureDoesNotMatch"), ["forbidden"], ["key_rejected"]),
    ("token expired", dict(kind="error", code="InvalidSecurityToken.Expired"), ["forbidden"], ["key_rejected"]),
]
# Answers that look odd and are right all the same.
HARMLESS = [
    ("NUL in a string", dict(kind="bad_text", form="nul", where="request_id")),
    ("bidi controls in a string", dict(kind="bad_text", form="bidi", where="request_id")),
    ("escape sequences in a string", dict(kind="bad_text", form="escape", where="request_id")),
    ("rows as strings", dict(kind="rows", form="strings")),
    ("rows as numbers", dict(kind="rows", form="numbers")),
    ("API clock an hour ahead", dict(kind="clock_skew", seconds=3600)),
    ("API clock an hour behind", dict(kind="clock_skew", seconds=-3600)),
]


def api(table):
    with workspace() as (directory, _):
        for number, (name, fault, states, reasons) in enumerate(API):
            def run(fault=fault, states=states, reasons=reasons, number=number):
                with place(directory, f"api{number}") as (own, simulator):
                    daemon = Daemon(own, config(simulator.url))
                    try:
                        wait_for("the truth", lambda: proven(daemon), 10)
                        simulator.control("faults", **fault)
                        seen = blind(daemon, states, reasons)
                        simulator.control("faults/clear")
                        wait_for("recovery", lambda: proven(daemon), 20)
                        if not daemon.events("listing_recovered"):
                            raise Failed("no listing_recovered event")
                        return f"{seen}, recovered"
                    finally:
                        daemon.stop()
            table.row(name, f"{states[0]}/{reasons[0]}, drift stays", run)
        for number, (name, fault) in enumerate(HARMLESS):
            def run(fault=fault, number=number):
                with place(directory, f"odd{number}") as (own, simulator):
                    simulator.control("faults", **fault)
                    daemon = Daemon(own, config(simulator.url))
                    try:
                        wait_for("the truth in spite of it", lambda: proven(daemon), 10)
                        for line in daemon.output().splitlines():
                            if any(ord(c) < 0x20 or 0x202A <= ord(c) <= 0x202E for c in line):
                                raise Failed("a control character reached the log")
                        return "proven"
                    finally:
                        daemon.stop()
            table.row(name, "still proven", run)
        table.run()


def openssl(directory, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=directory, check=True, capture_output=True)


def make_certificates(directory):
    """A CA, and certificates of it for localhost, another host and the past."""
    openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=test CA")
    openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self.key", "-out", "self.pem", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name, san, days in (("good", "DNS:localhost,IP:127.0.0.1", "30"), ("host", "DNS:other.example", "30"),
                            ("expired", "DNS:localhost,IP:127.0.0.1", "-1")):
        openssl(directory, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", "/CN=localhost")
        (directory / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        validity = ["-days", days] if days != "-1" else ["-days", "1"]
        command = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                   "-extfile", f"{name}.ext", "-out", f"{name}.pem", *validity]
        if days == "-1":  # a day that is over: signed as of two days ago
            subprocess.run(["faketime", "2 days ago", "openssl", *command], cwd=directory, check=True, capture_output=True)
        else:
            openssl(directory, *command)


def tls_simulator(directory, certificate, name):
    simulator = Simulator(directory, f"--tls-cert={directory / (certificate + '.pem')}",
                          f"--tls-key={directory / (certificate + '.key')}", name=name)
    found = wait_for("the TLS port", lambda: re.findall(r'"tls_port":\s*(\d+)', simulator.output()))
    simulator.tls_url = f"https://localhost:{found[-1]}"
    populate(simulator)
    return simulator


class Listener:
    """A raw TCP listener on a fixed port: refuses (closed), swallows (black hole), or runs a TLS 1.1 server."""

    def __init__(self, mode):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.kept = []
        if mode == "silent":
            self.socket.listen(64)
            self.running = True
            threading.Thread(target=self.swallow, daemon=True).start()

    def swallow(self):
        with contextlib.suppress(OSError):
            while self.running:
                self.kept.append(self.socket.accept()[0])

    def stop(self):
        self.running = False
        self.socket.close()
        for connection in self.kept:
            connection.close()


def never_reached(directory, endpoint, states, reasons, name, **profile):
    """A daemon that cannot read at all: says so, claims nothing, and stops cleanly."""
    daemon = Daemon(directory, config(endpoint, **profile), name=name)
    try:
        state = wait_for(f"state {states}", lambda: daemon.state(CLEAN) if daemon.state(CLEAN) in states else None, 12)
        failing = [r for r in reasons if (daemon.value("share_drift_poll_failures_total", reason=r) or 0) > 0]
        if not failing:
            counted = {dict(p).get("reason"): v for (n, p), v in daemon.metrics().items()
                       if n == "share_drift_poll_failures_total" and v > 0}
            raise Failed(f"counted {counted}, not {reasons}")
        if daemon.value("share_drift_unexpected_accounts", image_id=CLEAN) is not None:
            raise Failed("a claim without a proof")
        return f"{state}/{failing[0]}, no claim"
    finally:
        if daemon.stop() != 0:
            raise Failed("did not stop cleanly")


def network(table):
    with workspace() as (directory, keep):
        make_certificates(directory)
        closed, silent = keep(Listener("closed")), keep(Listener("silent"))
        table.row("connection refused", "unreachable/connect, no claim",
                  lambda: never_reached(directory, closed.url, ["unreachable"], ["connect"], "refused"))
        table.row("black hole", "unreachable/timeout, no claim",
                  lambda: never_reached(directory, silent.url, ["unreachable"], ["timeout"], "silent"))
        table.row("DNS gone", "unreachable/dns, no claim",
                  lambda: never_reached(directory, "https://ens.invalid", ["unreachable"], ["dns", "timeout"], "dns",
                                        allow_any_endpoint="true"))
        ca = f'"{directory / "ca.pem"}"'
        for certificate, fault in (("self", "self-signed certificate"), ("host", "certificate of another host"),
                                   ("expired", "expired certificate")):
            def run(certificate=certificate):
                simulator = tls_simulator(directory, certificate, f"tls-{certificate}")
                try:
                    seen = never_reached(directory, simulator.tls_url, ["unreachable"], ["tls"], f"d-{certificate}", ca_file=ca)
                    if simulator.get("requests")["data"].get("total", 0) != 0:
                        raise Failed("a request was sent to a peer that was not trusted")
                    return seen + ", nothing sent"
                finally:
                    simulator.stop()
            table.row(fault, "unreachable/tls, nothing sent", run)

        def good_tls():
            simulator = tls_simulator(directory, "good", "tls-good")
            daemon = Daemon(directory, config(simulator.tls_url, ca_file=ca), name="d-good")
            try:
                wait_for("the truth over TLS", lambda: proven(daemon), 10)
                return "proven"
            finally:
                daemon.stop()
                simulator.stop()
        table.row("a certificate that is good", "proven", good_tls)

        def old_tls():
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                port = s.getsockname()[1]
            server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "good.pem", "-key",
                                       "good.key", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-www", "-quiet"], cwd=directory,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                time.sleep(0.3)
                return never_reached(directory, f"https://localhost:{port}", ["unreachable"], ["tls"], "tls11", ca_file=ca)
            finally:
                server.kill()
                server.wait()
        table.row("TLS 1.1 only", "unreachable/tls, no claim", old_tls)
        table.row("no credentials", "unreachable/credentials, no claim", lambda: no_credentials(directory))
        table.run()


def no_credentials(directory):
    with_key = Simulator(directory, name="no-credentials")
    populate(with_key)
    daemon = Daemon(directory, config(with_key.url, credentials="{source: environment}"), name="nokey", key=None)
    try:
        wait_for("unreachable", lambda: daemon.state(CLEAN) == "unreachable", 10)
        if not daemon.value("share_drift_poll_failures_total", reason="credentials"):
            raise Failed("the reason was not counted")
        if with_key.get("requests")["data"].get("total", 0) != 0:
            raise Failed("something was sent unsigned")
        return "unreachable/credentials, nothing sent"
    finally:
        daemon.stop()
        with_key.stop()


def with_daemon(act, **options):
    """A row: act(daemon, its simulator) on a daemon that has proven both images, and that must stop cleanly."""
    def run(own, simulator):
        daemon = Daemon(own, config(simulator.url), "--web.enable-lifecycle", **options)
        try:
            wait_for("the truth", lambda: proven(daemon), 10)
            return act(daemon, simulator)
        finally:
            if daemon.running() and daemon.stop() != 0:
                raise Failed(f"ended with {daemon.process.returncode}")
    return run


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
            wait_for("the old config in force", lambda: proven(daemon), 5)
            return "refused, old one in force, gauge 0"
        row("config swapped for garbage", "refused, old one in force", with_daemon(swapped))

        def storm(daemon, _):
            for _ in range(200):
                daemon.send(signal.SIGHUP)
                time.sleep(0.005)
            wait_for("the truth after the storm", lambda: proven(daemon), 10)
            opened = daemon.value("share_drift_opened_total", image_id=DRIFT, kind="unexpected")
            if opened != 1:
                raise Failed(f"the drift was counted {opened} times")
            return f"{len(daemon.events('config_reloaded'))} reloads, counters kept"
        row("HUP storm", "counters kept, drift stays", with_daemon(storm))

        def early_hup(own, simulator):
            for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.05):
                daemon = Daemon(own, config(simulator.url), wait=False)
                # What comes before main belongs to the loader; from the first line of main on the signal is held back.
                wait_for("main", lambda: int(re.search(r"SigBlk:\s*(\w+)", pathlib.Path(
                    f"/proc/{daemon.pid}/status").read_text())[1], 16) & 1, 20, 0.001)
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
            wait_for("recovery", lambda: proven(daemon), 15)
            return "recovered by itself"
        row("no file descriptors left", "recovers by itself", with_daemon(descriptors))

        def paused(daemon, _):
            daemon.send(signal.SIGSTOP)
            time.sleep(PAUSE)
            daemon.send(signal.SIGCONT)
            wait_for("the truth after the pause", lambda: proven(daemon), 10)
            if daemon.events("drift_closed"):
                raise Failed("the pause closed a drift")
            return f"went on after {PAUSE} s"
        row(f"SIGSTOP {PAUSE} s, SIGCONT", "goes on, drift stays", with_daemon(paused))

        row("full disk", "state_ok 0, polling goes on, catches up", full_disk)
        row("read-only state", "state_ok 0, polling goes on", read_only)

        def rotated(daemon, simulator):
            simulator.control("keys/disable", id=Simulator.KEY)
            wait_for("forbidden", lambda: daemon.state(DRIFT) == "forbidden", 10)
            if daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) != 1:
                raise Failed("the drift gauge moved")
            simulator.control("keys/enable", id=Simulator.KEY)
            wait_for("recovery", lambda: proven(daemon), 15)
            return "forbidden, then proven again"
        for hours, ahead in ((1, "ahead"), (-1, "behind")):
            row(f"local clock an hour {ahead}", "adopts the API's, drift stays", functools.partial(local_clock, hours))
        row("key rotated in place", "forbidden at most, proven again", rotated_in_place)
        row("session token expired", "forbidden, then proven again", session_expired)
        row("key revoked, then given back", "forbidden, drift stays", with_daemon(rotated))
        table.run()


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
        wait_for("the skew to be seen", skewed(-3600 * hours), 10)
        wait_for("the truth by a wrong clock", lambda: proven(daemon), 15)
        simulator.control("share", image=CLEAN, accounts=[STRANGER])
        try:
            daemon.wait_value("share_drift_unexpected_accounts", 1.0, image_id=CLEAN)
            clock.write_text("+0")
            wait_for("the skew to end", skewed(0), 10)
        finally:
            simulator.control("unshare", image=CLEAN, accounts=[STRANGER])
        wait_for("the truth after it", lambda: proven(daemon), 15)
        if [e["image_id"] for e in daemon.events("drift_closed")] != [CLEAN]:
            raise Failed("the clock closed a drift")
        return "skew seen, a new drift raised, one closed"
    return with_daemon(act, env=environment)(directory, simulator)


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
        wait_for("the truth", lambda: proven(daemon), 10)
        simulator.control("keys/rotate", id="rotated-1", new_id="rotated-2", secret="fake-two")
        wait_for("forbidden", lambda: daemon.state(DRIFT) == "forbidden", 10)
        write("rotated-2", "fake-two")
        wait_for("recovery", lambda: proven(daemon), 10)
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
        wait_for("the truth", lambda: proven(daemon), 10)
        simulator.control("keys/expire", id="STS.matrix", in_seconds=0)
        seen = blind(daemon, ["forbidden"], ["key_rejected"])
        simulator.control("keys/expire", id="STS.matrix", in_seconds=3600)
        wait_for("recovery", lambda: proven(daemon), 20)
        return f"{seen}, recovered"
    finally:
        daemon.stop()


PAUSE = int(os.environ.get("SHAREDRIFT_PAUSE_SECONDS", "60"))


def full_disk(directory, simulator):
    """A file system of half a megabyte that a big file fills."""
    mount = directory / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(mount)], capture_output=True).returncode != 0:
        return "no right to mount here: not tried"
    try:
        def act(daemon):
            ballast = mount / "ballast"
            with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 4096)
            simulator.control("share", image=CLEAN, accounts=[STRANGER])
            try:
                daemon.wait_value("share_drift_unexpected_accounts", 1.0, image_id=CLEAN)
                daemon.wait_value("share_drift_state_ok", 0.0)
                ballast.unlink()
                daemon.wait_value("share_drift_state_ok", 1.0, seconds=20)
            finally:
                simulator.control("unshare", image=CLEAN, accounts=[STRANGER])
            return "raised all the same, caught up"
        daemon = Daemon(directory, config(simulator.url), f"--storage.path={mount / 'state.db'}", name="full")
        try:
            wait_for("the truth", lambda: proven(daemon), 10)
            return act(daemon)
        finally:
            daemon.stop()
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def read_only(directory, simulator):
    mount = directory / "read-only"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(mount)], capture_output=True).returncode != 0:
        return "no right to mount here: not tried"
    try:
        daemon = Daemon(directory, config(simulator.url), f"--storage.path={mount / 'state.db'}", name="readonly")
        try:
            wait_for("the truth", lambda: proven(daemon), 10)
            daemon.wait_value("share_drift_state_ok", 0.0)
            if not daemon.events("state_rejected"):
                raise Failed("nothing was said")
            return "said, and went on in memory"
        finally:
            daemon.stop()
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def main():
    table = Table()
    {"api": api, "network": network, "process": process}[sys.argv[1]](table)
    if table.missed:
        print(f"{table.missed} rows missed")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
