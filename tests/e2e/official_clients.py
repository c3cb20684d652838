#!/usr/bin/env python3
"""Runs Alibaba's published npm clients against ens-simulator: official_clients.py BUILD_DIR.

SHAREDRIFT_BIN_DIR names the programs.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Process, Simulator, certificate, wait_for, workspace  # noqa: E402
from harness.npm import install  # noqa: E402

SCENARIO = {
    "fleet": {"images": 2, "accounts": 3},
    "images": [{"id": "m-many", "generated": 250}],
    "roles": [{"name": "reader", "rights": ["ens:Describe*", "sts:AssumeRole"]},
              {"name": "sim-role", "rights": ["ens:Describe*"]}],
}


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
        wait_for("the clients to end", lambda: not clients.running())
        print(clients.output())
        passed = re.search(r"^# pass (\d+)$", clients.output(), re.M)
        if clients.process.returncode != 0 or not passed or int(passed.group(1)) == 0:
            sys.exit(f"the clients failed; the simulator said: {simulator.output()}")
        if simulator.stop(1.0) != 0:
            sys.exit(f"the simulator did not end within a second of SIGTERM: {simulator.process.returncode}")


if __name__ == "__main__":
    main()
