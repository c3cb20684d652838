#!/usr/bin/env python3
"""Runs Alibaba's published npm clients against ens-simulator: official_clients.py BUILD_DIR.

SHAREDRIFT_BIN_DIR names the programs.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Process, Simulator, wait_for, workspace  # noqa: E402
from harness.npm import install  # noqa: E402

SCENARIO = {
    "fleet": {"images": 2, "accounts": 3},
    "images": [{"id": "m-many", "generated": 250}],
    "roles": [{"name": "reader", "rights": ["ens:Describe*", "sts:AssumeRole"]},
              {"name": "sim-role", "rights": ["ens:Describe*"]}],
}


def certificate(directory):
    """A self-signed one for 127.0.0.1: (certificate, key)."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True, timeout=30)
    return cert, key


def main():
    modules = install(HERE, pathlib.Path(sys.argv[1]).resolve())
    with workspace() as (directory, own):
        cert, key = certificate(directory)
        token = directory / "oidc-token"
        token.write_text("the-token\n")
        scenario = directory / "scenario.json"
        scenario.write_text(json.dumps({**SCENARIO, "oidc": [
            {"provider_arn": "acs:ram::1111111111111111:oidc-provider/k8s", "token_file": str(token)}]}))
        simulator = own(Simulator(directory, f"--scenario={scenario}", f"--tls-cert={cert}", f"--tls-key={key}"))
        tls_port = re.search(r'"tls_port":\s*(\d+)', simulator.output()).group(1)
        clients = own(Process("clients", ["node", "--test", "--test-reporter=tap", HERE / "clients.js"], directory, env={
            "MODULES": str(modules), "HTTP": f"127.0.0.1:{simulator.port}", "TLS": f"127.0.0.1:{tls_port}",
            "AK": Simulator.KEY, "SK": Simulator.SECRET, "TOKEN_FILE": str(token), "NODE_EXTRA_CA_CERTS": str(cert),
            "no_proxy": "*"}))
        wait_for("the clients to end", lambda: not clients.running(), 120)
        print(clients.output())
        passed = re.search(r"^# pass (\d+)$", clients.output(), re.M)
        if clients.process.returncode != 0 or not passed or int(passed.group(1)) == 0:
            sys.exit(f"the clients failed; the simulator said: {simulator.output()}")
        if simulator.stop(1.0) != 0:
            sys.exit(f"the simulator did not end within a second of SIGTERM: {simulator.process.returncode}")


if __name__ == "__main__":
    main()
