#!/usr/bin/env python3
"""The locked door under crowds: door_crowds.py [NAME...]

The real daemon with TLS and users, started anew for each attack. While wrong passwords come in a crowd, handshakes break, stand
still or flood, each of many users logs in for the first time, and a scrape is made, within a second of an idle machine: on a busy
one it may take as much longer as other work does. Attackers share the honest one's address, have another one, or one each.
"""
import base64
import contextlib
import pathlib
import resource
import socket
import ssl
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from attack import Attack  # noqa: E402
from door import HASH, PASSWORD, broken_handshakes, header_floods, in_a_loop, wrong_passwords  # noqa: E402
from harness import (PATIENCE, Daemon, Failed, Simulator, certificate, free_port, parse_metrics, slowness,  # noqa: E402
                     wait_for, workspace)  # noqa: E402

USERS = [f"user-{n}" for n in range(8)]
ONE = "127.9.9.9"


class Door:
    """The daemon's web server as clients meet it."""

    def __init__(self, directory, tls=True):
        cert, key = certificate(directory)
        self.config = directory / "web.yml"
        self.config.write_text((f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n" if tls else "")
                               + "basic_auth_users: {" + ", ".join(f"{user}: '{HASH}'" for user in USERS) + "}\n")
        self.port = free_port()
        self.tls = ssl.create_default_context(cafile=cert) if tls else None

    def ask(self, password, headers=b"", user=USERS[0], timeout=PATIENCE):
        """(the whole answer, the seconds it took) on a connection of its own."""
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout) as plain, \
                (self.tls.wrap_socket(plain, server_hostname="127.0.0.1") if self.tls else plain) as connection:
            connection.sendall(request(user, password, headers))
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer, time.monotonic() - begun

    def scrape(self, user=USERS[0]):
        answer, took = self.ask(PASSWORD, user=user)
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or not parse_metrics(body.decode()):
            raise Failed(f"the scrape of {user} was answered with {head[:60]!r}")
        return took


def request(user, password, headers=b""):
    token = base64.b64encode(f"{user}:{password}".encode())
    return (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Basic " + token + b"\r\n" + headers
            + b"\r\n")


def client_hello():
    """What a client sends first."""
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    return out.read()


@contextlib.contextmanager
def crowd(data, count, door, **how):
    """`count` connections that send `data`, and come again when they are thrown out or answered."""
    force = Attack(door.port)
    try:
        force.come_again(data, count, **how)
        yield
    finally:
        force.stop()


def half_hello():
    return client_hello()[:100]


ROWS = {  # name: (with TLS, what is under way)
    "wrong_passwords": (True, lambda door: in_a_loop(wrong_passwords, door)),
    "broken_handshakes": (True, lambda door: in_a_loop(broken_handshakes, door)),
    "header_floods": (True, lambda door: in_a_loop(header_floods, door)),
    # 48 handshakes and a queue of eight passwords sufficed once.
    "half_handshakes": (True, lambda door: crowd(half_hello(), 1500, door)),
    "half_handshakes_one": (True, lambda door: crowd(half_hello(), 1500, door, source=ONE)),
    "half_handshakes_many": (True, lambda door: crowd(half_hello(), 1500, door, many=True)),
    "silent_handshakes": (True, lambda door: crowd(client_hello(), 1500, door)),
    "silent_handshakes_many": (True, lambda door: crowd(client_hello(), 1500, door, many=True)),
    "password_crowd": (False, lambda door: crowd(request(USERS[0], "wrong"), 160, door)),
    "password_crowd_one": (False, lambda door: crowd(request(USERS[0], "wrong"), 160, door, source=ONE)),
    "password_crowd_many": (False, lambda door: crowd(request(USERS[0], "wrong"), 160, door, many=True)),
}


def under(directory, simulator, tls, attack):
    """The longest first log-in and the longest scrape, in seconds of an idle machine."""
    door = Door(directory, tls)
    images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, 21))
    daemon = Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}}}}}\nimages:\n{images}",
                    f"--web.config.file={door.config}", port=door.port, wait=False,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)))  # as in the unit
    try:
        wait_for("it to listen", lambda: door.ask("wrong", user="nobody")[0].startswith(b"HTTP/1.1 401"))
        with attack(door):
            first, again = (max(door.scrape(user) / slowness() for user in USERS) for _ in range(2))
    finally:
        if daemon.stop() != 0:
            raise Failed("the daemon did not end well")
    return first, again


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    missed = 0
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=20", "--accounts=2"))
        print(f"{'attack':<24} {'log-in, at most':>16} {'scrape, at most':>16}")
        for name, (tls, attack) in ROWS.items():
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            try:
                first, again = under(directory, simulator, tls, attack)
                wrong = max(first, again) >= 1
                print(f"{name:<24} {first:>14.3f} s {again:>14.3f} s{'  MISSED: more than a second' if wrong else ''}", flush=True)
            except (OSError, Failed) as error:
                wrong = True
                print(f"{name:<24} MISSED: {error}", flush=True)
            missed += wrong
    return f"{missed} attacks got through" if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(str(error))
