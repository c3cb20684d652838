#!/usr/bin/env python3
"""ens-simulator on the wire: what no test without sockets can see. SHAREDRIFT_BIN_DIR names the program."""
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import BIN, PATIENCE, Failed, Simulator, certificate, fetch, wait_for, workspace  # noqa: E402

URI = b"GET /credentials HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n"


def check(holds, what):
    if not holds:
        raise Failed(what)


def exchange(port, request=URI, limit=1 << 20, tls=None):
    """(all bytes until the end or the limit, whether the end was a reset, seconds)"""
    began = time.monotonic()
    connection = socket.create_connection(("127.0.0.1", port), 10)
    if tls:
        connection = tls.wrap_socket(connection, server_hostname="127.0.0.1")
    data, reset = b"", False
    with connection:
        connection.sendall(request)
        try:
            while len(data) < limit and (piece := connection.recv(65536)):
                data += piece
        except ConnectionResetError:
            reset = True
    return data, reset, time.monotonic() - began


def during(simulator, kind, **parameters):
    simulator.control("faults", kind=kind, action="CredentialsUri", **parameters)
    try:
        return exchange(simulator.port)
    finally:
        simulator.control("faults/clear")


def deliveries(simulator):
    head, _, whole = exchange(simulator.port)[0].partition(b"\r\n\r\n")
    check(json.loads(whole)["Code"] == "Success", f"a plain answer: {whole!r}")
    check(b"Content-Length: %d" % len(whole) in head and b"GMT" in head, f"a plain head: {head!r}")

    data, _, _ = during(simulator, "cut", percent=50)
    head, _, body = data.partition(b"\r\n\r\n")
    check(b"Content-Length: %d" % len(whole) in head and len(body) == len(whole) // 2, f"cut by length: {data!r}")
    data, _, _ = during(simulator, "cut", framing="chunked")
    check(b"Transfer-Encoding: chunked" in data and not data.endswith(b"0\r\n\r\n"), f"cut chunks: {data!r}")
    data, _, _ = during(simulator, "cut", framing="none")
    check(b"Content-Length" not in data and b"Transfer-Encoding" not in data, f"cut unframed: {data!r}")

    data, reset, _ = during(simulator, "reset")
    check(reset and data == b"", f"reset: {data!r}")
    data, _, seconds = during(simulator, "drip", interval_ms=20, bytes=100)
    check(data.endswith(b"}") and seconds > 0.05, f"drip in {seconds} s: {data!r}")
    data, _, _ = during(simulator, "endless")
    check(len(data) >= 1 << 20, f"endless: {len(data)} bytes")
    data, _, seconds = during(simulator, "latency", ms=150)
    check(seconds >= 0.15, f"latency: {seconds} s")
    data, _, _ = during(simulator, "redirect", location="http://127.0.0.1:9/x")
    check(data.startswith(b"HTTP/1.1 302") and b"Location: http://127.0.0.1:9/x\r\n" in data, f"redirect: {data!r}")


def keeps_connections(simulator):
    """Three requests on one connection, one of them with a form that must not leak into the query."""
    with socket.create_connection(("127.0.0.1", simulator.port), 10) as connection:
        reader = connection.makefile("rb")
        form = b"Action=GetCallerIdentity&Version=2015-04-01"
        for head, body in ((b"GET /credentials", b""), (b"POST /?Version=2017-11-10", form), (b"GET /_sim/health", b"")):
            extra = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body) if body else b""
            connection.sendall(head + b" HTTP/1.1\r\nHost: sim\r\n" + extra + b"\r\n" + body)
            status = reader.readline()
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answer = json.loads(reader.read(length))
            check(status.startswith(b"HTTP/1.1 "), f"{head!r}: {status!r}")
            if body:  # the version of the query comes first: this product has no such action
                check(answer["Code"] == "InvalidAction.NotFound", f"form and query: {answer}")


def speaks_tls(simulator, cert):
    context = ssl.create_default_context(cafile=cert)
    port = json.loads(simulator.output().splitlines()[0])["tls_port"]
    data, _, _ = exchange(port, tls=context)
    check(b'"Code":"Success"' in data, f"over TLS: {data!r}")


def stops_at_once(simulator):
    """Within a second, although one answer is delayed, one drips and one connection idles."""
    simulator.control("faults", kind="latency", ms=60000, action="CredentialsUri")
    simulator.control("faults", kind="drip", action="Metadata.Role")
    held = []
    for request in (URI, URI.replace(b"credentials", b"latest/meta-data/x"), b"GET"):
        held.append(socket.create_connection(("127.0.0.1", simulator.port), 10))
        held[-1].sendall(request)
    wait_for("the delayed request", lambda: simulator.get("requests")["data"]["by_action"].get("CredentialsUri", 0) > 0)
    began = time.monotonic()
    code = simulator.stop(10, signal.SIGTERM)
    seconds = time.monotonic() - began
    check(code == 0 and seconds < 1.0, f"ended with {code} after {seconds:.2f} s")
    for connection in held:
        connection.close()


def refuses_to_start():
    for flags, code in ((["--colour"], 2), (["--scenario=/nonexistent"], 2), (["--tls-cert=/x", "--tls-key=/x"], 2)):
        done = subprocess.run([BIN / "ens-simulator", *flags], capture_output=True, timeout=PATIENCE, env={"PATH": os.environ["PATH"]})
        check(done.returncode == code and done.stderr and not done.stdout, f"{flags}: {done}")


def main():
    with workspace() as (directory, own):
        cert, key = certificate(directory)
        simulator = own(Simulator(directory, f"--tls-cert={cert}", f"--tls-key={key}"))
        deliveries(simulator)
        keeps_connections(simulator)
        speaks_tls(simulator, cert)
        status, _, body = fetch(simulator.url + "/_sim/faults", b'{"kind":"nothing"}', "POST")
        check(status == 400 and b"known are" in body, f"unknown fault: {status} {body!r}")
        second = subprocess.run([BIN / "ens-simulator", f"--port={simulator.port}"], capture_output=True, timeout=PATIENCE)
        check(second.returncode == 1 and str(simulator.port).encode() in second.stderr, f"port taken: {second}")
        stops_at_once(simulator)
        refuses_to_start()


if __name__ == "__main__":
    main()
