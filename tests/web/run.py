#!/usr/bin/env python3
"""Runs the browser tests of the status page: run.py BUILD_DIR WEB_PREVIEW.

The packages are installed into BUILD_DIR once for each state of package-lock.json; pictures are left in BUILD_DIR/pictures.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def install(build):
    """The folder with node_modules as the lock file says."""
    modules = build / "npm"
    stamp = modules / "installed"
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == digest):
        shutil.rmtree(modules, ignore_errors=True)
        modules.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, modules)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=modules,
                       check=True, timeout=300, stdin=subprocess.DEVNULL)
        stamp.write_text(digest)
    return modules


def main():
    build, preview = pathlib.Path(sys.argv[1]), sys.argv[2]
    modules = install(build)
    shutil.copy(HERE / "status_page.test.mjs", modules)
    pictures = build / "pictures"
    pictures.mkdir(exist_ok=True)
    server = subprocess.Popen([preview], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        return subprocess.run(["node", "status_page.test.mjs", f"http://127.0.0.1:{port}", pictures], cwd=modules,
                              timeout=380, stdin=subprocess.DEVNULL, check=False).returncode
    finally:
        server.stdin.close()
        server.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
