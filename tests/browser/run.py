#!/usr/bin/env python3
"""Runs the browser tests of the status page: run.py BUILD_DIR WEB_PREVIEW.

Pictures are left in BUILD_DIR/pictures.
"""
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness.npm import install  # noqa: E402


def main():
    build, preview = pathlib.Path(sys.argv[1]), sys.argv[2]
    modules = install(HERE, build)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, modules)
    pictures = build / "pictures"
    pictures.mkdir(exist_ok=True)
    server = subprocess.Popen([preview], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        return subprocess.run(["node", "status_page.test.mjs", f"http://127.0.0.1:{port}", pictures], cwd=modules,
                              timeout=1700, stdin=subprocess.DEVNULL, check=False).returncode
    finally:
        server.stdin.close()
        server.wait(timeout=100)


if __name__ == "__main__":
    sys.exit(main())
