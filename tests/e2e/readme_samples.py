#!/usr/bin/env python3
"""README shows series and log lines of a real run: readme_samples.py. SHAREDRIFT_BIN_DIR names the programs.

Times differ from run to run and are masked; all else must be what the programs print.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, wait_for, workspace  # noqa: E402

ACCOUNT = "1715107400000001"
IMAGES = f"""
accounts: {{"{ACCOUNT}": {{name: partner-north}}}}
images:
  - {{id: m-sim-2, name: edge-lab, team: edge-os, severity: page, allowed: []}}
"""


def samples(title):
    return re.search(rf"^<!-- sample: {title} -->\n```text\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)[1].splitlines()


def masked(line):
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)
    return re.sub(r" 1[0-9]{9}(\.\d+)?$", " SECONDS", line)


def require(title, printed):
    printed = {masked(line) for line in printed}
    missing = [line for line in samples(title) if masked(line) not in printed]
    if missing:
        raise Failed(f"README shows what no run prints ({title}):\n" + "\n".join(missing))
    print(f"ok   {len(samples(title))} lines of {title}")


def main():
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=2", "--accounts=1"))
        daemon = own(Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}}}}}\npoll: {{interval: 1s}}\n{IMAGES}",
                            "--log.format=logfmt"))
        wait_for("a second listing", lambda: daemon.value("share_drift_listings_total", image_id="m-sim-2") > 1)
        require("metrics", daemon.http("/metrics")[2].decode().splitlines())
        simulator.control("unshare", image="m-sim-2", accounts=[ACCOUNT])
        wait_for("the end of the drift", lambda: "event=drift_closed" in daemon.output())
        # A line as far as its sentence: the fields behind it are in dashboards/EVENTS.md.
        require("log", [match[1] for match in re.finditer(r'^ts=\S+ (level=.*? msg="[^"]*")', daemon.output(), re.M)])


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
