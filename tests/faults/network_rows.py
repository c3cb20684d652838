"""Nobody answers, or nobody who can be trusted."""
import contextlib
import re
import socket
import subprocess
import threading

from harness import Daemon, Failed, Simulator, wait_for, workspace
from rows import CLEAN, config, populate, proven


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
        def seen():
            counted = {dict(p).get("reason"): v for (n, p), v in daemon.metrics().items()
                       if n == "share_drift_listing_failures_by_reason_total" and v > 0}
            failing = [r for r in reasons if r in counted]
            if daemon.state(CLEAN) not in states or not failing:
                raise Failed(f"{daemon.state(CLEAN)}, counted {counted}")
            return daemon.state(CLEAN), failing
        state, failing = wait_for(f"state {states} for a reason of {reasons}", seen)
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
                wait_for("the truth over TLS", lambda: proven(daemon))
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
                wait_for("openssl to listen", lambda: socket.create_connection(("127.0.0.1", port), 5).close() or True)
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
        wait_for("unreachable", lambda: daemon.state(CLEAN) == "unreachable")
        if not daemon.value("share_drift_listing_failures_by_reason_total", reason="credentials"):
            raise Failed("the reason was not counted")
        if with_key.get("requests")["data"].get("total", 0) != 0:
            raise Failed("something was sent unsigned")
        return "unreachable/credentials, nothing sent"
    finally:
        daemon.stop()
        with_key.stop()
