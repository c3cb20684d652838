#!/usr/bin/env python3
"""The locked door under attack: door.py

The real daemon with TLS and a user. While wrong passwords come in a loop, handshakes break and headers flood, a scrape with the
right password is answered within a second of an idle machine: on a busy one it may take as much longer as other work does.
"""
import base64
import contextlib
import os
import pathlib
import socket
import ssl
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import (PATIENCE, Daemon, Failed, Simulator, certificate, free_port, parse_metrics, slowness,  # noqa: E402
                     wait_for, workspace)  # noqa: E402

USER, PASSWORD = "prometheus", "hush-hush-hush"
HASH = "$2b$10$abcdefghijklmnopqrstuuxRWEEkWOlHe9rxLwybERM.UdvBPGpmO"  # of PASSWORD, at the usual cost
ATTACKERS, SCRAPES = 16, 8


class Door:
    """The daemon's web server as clients meet it."""

    def __init__(self, directory):
        cert, key = certificate(directory)
        self.config = directory / "web.yml"
        self.config.write_text(f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n"
                               f"basic_auth_users: {{{USER}: '{HASH}'}}\n")
        self.port = free_port()
        self.tls = ssl.create_default_context(cafile=cert)

    def ask(self, password, headers=b"", timeout=PATIENCE):
        """(the whole answer, the seconds it took) on a connection of its own."""
        begun = time.monotonic()
        token = base64.b64encode(f"{USER}:{password}".encode())
        with socket.create_connection(("127.0.0.1", self.port), timeout) as plain, \
                self.tls.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Basic " + token + b"\r\n"
                               + headers + b"\r\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer, time.monotonic() - begun

    def scrape(self):
        answer, took = self.ask(PASSWORD)
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or not parse_metrics(body.decode()):
            raise Failed(f"the scrape was answered with {head[:60]!r}")
        return took


def wrong_passwords(door, number):
    answer, _ = door.ask(f"wrong-{number}-{os.urandom(4).hex()}")
    if not answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 503")):
        raise SystemExit(f"a wrong password was answered with {answer[:60]!r}")


def broken_handshakes(door, number):
    with socket.create_connection(("127.0.0.1", door.port), 2) as s:
        s.sendall([b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x40\x00" + os.urandom(64), b"\x16\x03\x01", b"\x00" * 4096][number % 4])
        s.settimeout(0.3)
        s.recv(1024)


def header_floods(door, number):
    door.ask("wrong", (b"X-Flood: " + b"x" * 4000 + b"\r\n") * 100 if number % 2 else b"X: y\r\n" * 2000)


def silent_handshakes(door, _):
    with socket.create_connection(("127.0.0.1", door.port), 2):
        time.sleep(0.5)


@contextlib.contextmanager
def in_a_loop(attack, door):
    ended = threading.Event()

    def go_on(number):
        while not ended.is_set():
            with contextlib.suppress(OSError):
                attack(door, number)
            number += ATTACKERS
    threads = [threading.Thread(target=go_on, args=(n,), daemon=True) for n in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(PATIENCE)


def main():
    missed = 0
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=20", "--accounts=2"))
        door = Door(directory)
        images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, 21))
        daemon = own(Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}}}}}\nimages:\n{images}",
                            f"--web.config.file={door.config}", port=door.port, wait=False))
        wait_for("an honest scrape", door.scrape)
        for attack in (wrong_passwords, broken_handshakes, header_floods, silent_handshakes):
            slowest = 0.0
            with in_a_loop(attack, door):
                for _ in range(SCRAPES):
                    took = door.scrape()
                    slowest = max(slowest, took / slowness())
            missed += slowest >= 1
            print(f"{attack.__name__:<20} scrape, at most {slowest:.3f} s{'' if slowest < 1 else '  MISSED: more than a second'}",
                  flush=True)
        if daemon.stop() != 0:
            raise Failed("the daemon did not end well")
    return f"{missed} attacks got through" if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(str(error))
