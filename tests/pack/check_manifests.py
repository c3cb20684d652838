#!/usr/bin/env python3
"""Checks the YAML for Kubernetes and Grafana against published models: check_manifests.py SOURCE_DIR BUILD_DIR."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness.npm import install  # noqa: E402


def main():
    root, build = map(pathlib.Path, sys.argv[1:3])
    config = root / "config"
    files = sorted([*config.glob("kubernetes/*.yaml"), *config.glob("grafana/provisioning/*/*.yml"), *config.glob("file_sd/*.yml")])
    done = subprocess.run(["node", HERE / "manifests.js", install(HERE, build), *files], capture_output=True, text=True,
                          timeout=1200)
    if done.returncode != 0 or f"{len(files)} files hold" not in done.stdout:
        sys.exit(done.stdout + done.stderr)
    print(done.stdout.strip())


if __name__ == "__main__":
    main()
