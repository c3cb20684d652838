#!/usr/bin/env python3
"""The status page follows the world by itself: live.py BUILD_DIR. SHAREDRIFT_BIN_DIR names the programs."""
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Daemon, Simulator, workspace  # noqa: E402
from harness.npm import install  # noqa: E402

STRANGER = ["1666666666666666"]


def main():
    modules = install(HERE, pathlib.Path(sys.argv[1]).resolve())
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, modules)
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=3"))
        images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, 4))
        daemon = own(Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}}}}}\npoll: {{interval: 1s}}\nimages:\n{images}"))
        browser = subprocess.Popen(["node", "live.mjs", daemon.url], cwd=modules, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   text=True)
        for said, then in (("calm", "share"), ("unexpected", "unshare"), ("calm again", None)):
            line = browser.stdout.readline().strip()
            if line != said:
                browser.wait(600)
                sys.exit(f"the page was to be {said}; the browser said {line!r}")
            if then:
                simulator.control(then, image="m-sim-2", accounts=STRANGER)
            print(f"ok   {said}")
        return browser.wait(600)


if __name__ == "__main__":
    sys.exit(main())
