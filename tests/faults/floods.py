#!/usr/bin/env python3
"""Floods from three sides: an inventory that invents images without end, a storm of reloads that all change something, TLS clients
that send nothing but KeyUpdates. While each lasts a scrape takes less than a second of an idle machine, one of 50,000 images less than
three, memory has a bound, and the drift that is open stays open.
"""
import collections
import contextlib
import ctypes
import gzip
import json
import pathlib
import re
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import PATIENCE, Daemon, Failed, certificate, slowness, wait_for, workspace  # noqa: E402
from harness.web import Handler, WebServer  # noqa: E402
from rows import DRIFT, FRIEND, STRANGER, Table, config, place, proven  # noqa: E402

SECONDS = 8
LIMIT_MIB = 512  # the unit's MemoryMax


def scrape(port, context=None):
    """The text of /metrics, and the seconds that it took."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, \
            (context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := connection.recv(1 << 20):
            answer += piece
    took = time.monotonic() - begun
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise Failed(f"/metrics was answered with {head[:60]!r}")
    return (gzip.decompress(body) if b"gzip" in head else body).decode(), took


def watch(daemon, context=None, most=1):
    """Scrapes while something lasts: what was seen, in words. The drift is there in each, and none takes `most` seconds."""
    slowest, largest, ends, count = 0.0, 0, time.monotonic() + SECONDS, 0
    slow = slowness()
    while time.monotonic() < ends:
        text, took = scrape(daemon.port, context)
        before, slow = slow, slowness()
        slowest = max(slowest, took / max(before, slow))
        if not re.search(rf'^share_drift_unexpected_accounts{{[^}}]*image_id="{DRIFT}"[^}}]*}} 1$', text, re.M):
            raise Failed("the drift is not told")
        rss = re.search(r"VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text())
        largest = max(largest, int(rss[1]) // 1024)
        count += 1
    seen = f"{count} scrapes, {slowest:.3f} s at most, {largest} MiB"
    if slowest >= most or largest > LIMIT_MIB or daemon.events("drift_closed"):
        raise Failed(seen)
    return seen


class EndlessInventory(Handler):
    """An API that has another hundred images on each page, and each time others."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        page = int(query.get("PageNumber", 1))
        answer = {"RequestId": str(uuid.uuid4()), "PageNumber": page, "PageSize": 100}
        if self.headers["x-acs-action"] == "DescribeSelfImages":
            new = uuid.uuid4().hex
            images = [{"ImageId": f"m-{new}{n}", "ImageName": f"n-{n}", "ImageOwnerAlias": "self"} for n in range(100)]
            answer |= {"TotalCount": 10**9, "Images": {"Image": images}}
        else:
            account = STRANGER if query["ImageId"] == DRIFT else FRIEND
            answer |= {"TotalCount": 1, "ImageId": query["ImageId"], "Accounts": {"Account": [{"AliyunUid": account}]}}
        self.answer(200, json.dumps(answer).encode(), "application/json")

    do_POST = do_GET

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the daemon ended
            super().handle()


def endless_inventory(directory):
    api = WebServer(EndlessInventory)
    daemon = Daemon(directory, f'profiles:\n  default: {{endpoint: "{api.url}", requests_per_second: 200}}\n'
                               f'images:\n  - {{id: {DRIFT}, allowed: []}}\ndiscover:\n  - {{allowed: ["{FRIEND}"]}}\n',
                    wait=False)  # ready is who polled all images once
    try:
        wait_for("images beyond what can be watched", lambda: daemon.events("images_left_out"))
        seen = watch(daemon, most=3)
        if not daemon.value("share_drift_inventory_unwatched_images", profile="default"):
            raise Failed("no number says how many are not watched")
        return seen
    finally:
        daemon.stop()
        api.stop()


def changed_reloads(directory):
    """Each other moment another image leaves the watch or comes back, another group and interval are in force."""
    with place(directory, "reloads") as (own, simulator):
        for number in range(200):
            simulator.control("images", id=f"m-{number}", accounts=[FRIEND])
        daemon = Daemon(own, config(simulator.url))
        ended, loaded = threading.Event(), collections.Counter()

        def storm():
            while not ended.wait(0.02):
                loaded["times"] += 1
                some = "".join(f"  - {{id: m-{n}, allowed: [\"{FRIEND}\"]}}\n" for n in range(loaded["times"] % 200))
                daemon.write_config(config(simulator.url, timeout=f"{loaded['times'] % 5 + 2}s") + some)
                daemon.send(signal.SIGHUP)
        thread = threading.Thread(target=storm, daemon=True)
        try:
            wait_for("the truth", lambda: proven(daemon))
            thread.start()
            seen = watch(daemon)
            ended.set()
            thread.join()
            daemon.write_config(config(simulator.url))
            daemon.send(signal.SIGHUP)
            wait_for("the last configuration", lambda: proven(daemon) and daemon.value("share_drift_image_state", image_id="m-1")
                     is None)
            return f"{seen}, {loaded['times']} reloads"
        finally:
            ended.set()
            daemon.stop()


def key_updates(directory):
    """Twenty connections that send KeyUpdates as fast as they can, and never a request."""
    cert, key = certificate(directory)
    web = directory / "web.yml"
    web.write_text(f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n")
    context = ssl.create_default_context(cafile=cert)
    tls = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(tls, name).restype = ctypes.c_void_p
    client = ctypes.c_void_p(tls.SSL_CTX_new(ctypes.c_void_p(tls.TLS_client_method())))
    sent, ended = collections.Counter(), threading.Event()

    def flood(port, number):
        while not ended.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                connection.settimeout(None)
                session = ctypes.c_void_p(tls.SSL_new(client))
                tls.SSL_set_fd(session, connection.fileno())
                going = tls.SSL_connect(session) == 1
                while going and not ended.is_set():
                    going = tls.SSL_key_update(session, 0) == 1 and tls.SSL_do_handshake(session) == 1
                    sent[number] += going
                tls.SSL_free(session)

    with place(directory, "updates") as (own, simulator):
        daemon = Daemon(own, config(simulator.url), f"--web.config.file={web}", wait=False)
        try:
            def truth():
                return f'image_id="{DRIFT}"' in scrape(daemon.port, context)[0]
            wait_for("the drift", truth)
            for number in range(20):
                threading.Thread(target=flood, args=(daemon.port, number), daemon=True).start()
            seen = watch(daemon, context)
            if sum(sent.values()) < 10_000:
                raise Failed(f"only {sum(sent.values())} KeyUpdates were sent")
            return f"{seen}, {sum(sent.values())} KeyUpdates"
        finally:
            ended.set()
            daemon.stop()


def again(flood, directory):
    """Another program can take a core for a moment: what misses is played once more."""
    first = directory.with_name(f"{directory.name}-1")
    first.mkdir()
    try:
        return flood(first)
    except Failed as miss:
        directory.mkdir()
        return f"{flood(directory)} (before: {miss})"


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    table = Table(at_a_time=1)
    with workspace() as (directory, _):
        for flood, expected in ((endless_inventory, "scrapes of 50,000 images within three seconds"),
                                (changed_reloads, "scrapes within a second"), (key_updates, "scrapes within a second")):
            if sys.argv[1:] and flood.__name__ not in sys.argv[1:]:
                continue
            own = directory / flood.__name__
            table.row(flood.__name__, expected, lambda flood=flood, own=own: again(flood, own))
        table.run()
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
