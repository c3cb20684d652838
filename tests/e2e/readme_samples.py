#!/usr/bin/env python3
"""README shows series, log lines and a page of a real run: readme_samples.py. SHAREDRIFT_BIN_DIR names the programs.

Times, ports and line breaks differ from run to run; all else must be what the programs print. The page is Alertmanager's: its webhook
gives the data, amtool fills the shipped template with them.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "demo")]
from demo import prometheus_config  # noqa: E402
from harness import (QUICKLY, Alertmanager, Daemon, Failed, Prometheus, Simulator, WebhookSink, alertmanager_config, run,  # noqa: E402
                     wait_for, workspace)

ACCOUNT = "1715107400000001"
IMAGES = f"""
accounts: {{"{ACCOUNT}": {{name: partner-north}}}}
images:
  - {{id: m-sim-2, name: edge-lab, team: edge-os, severity: page, allowed: []}}
"""


def samples(title, file="README.md"):
    return re.search(rf"^<!-- sample: {title} -->\n```text\n(.*?)^```$", (ROOT / file).read_text(), re.M | re.S)[1].splitlines()


def masked(line):
    line = re.sub(r"\d{4}-\d\d-\d\d(T[\d:.]+Z| [\d:]+ UTC)", "TIME", line)
    line = re.sub(r"(?<=[ /])[\w.-]+:\d+(?=,|/images/)", "INSTANCE", line)
    line = re.sub(r"--endpoint \S+( --insecure)?", "--endpoint API", line)
    return re.sub(r" 1[0-9]{9}(\.\d+)?$", " SECONDS", line)


def require(title, printed):
    printed = {masked(line) for line in printed}
    missing = [line for line in samples(title) if masked(line) not in printed]
    if missing:
        raise Failed(f"README shows what no run prints ({title}):\n" + "\n".join(missing))
    print(f"ok   {len(samples(title))} lines of {title}")


def page(directory, own, daemon):
    """The text of the page about the image."""
    sink = own(WebhookSink())
    alertmanager = own(Alertmanager(directory, alertmanager_config(sink, QUICKLY)))
    own(Prometheus(directory, prometheus_config(daemon, alertmanager)))

    def come():
        return [body for _, _, body in list(sink.notifications) if body["alerts"][0]["labels"]["alertname"] == "ShareDriftUnexpectedAccount"]
    data = directory / "notification.json"
    data.write_text(json.dumps(wait_for("the page", come)[0]))
    text = '{{ template "sharedrift.subject" . }}\n\n{{ template "sharedrift.text" . }}'
    return subprocess.run(["amtool", "template", "render", f"--template.glob={ROOT}/dashboards/alertmanager/templates/share-drift.tmpl",
                           f"--template.text={text}", f"--template.data={data}"], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def require_text(file, printed):
    shown, printed = (masked(" ".join(text.split())) for text in ("\n".join(samples("page", file)), printed))
    if shown not in printed:
        raise Failed(f"{file} shows a page that no run sends. It is:\n{printed}")
    print(f"ok   the page in {file}")


def require_exit(code, *words):
    got, printed, complaint = run(*words)
    if got != code:
        raise Failed(f"{words} ended with {got}, not {code}: {printed}{complaint}")
    return printed


def first_steps(directory, simulator):
    """README's configuration is a good one; what baseline --all writes is one as soon as somebody answers for what is shared."""
    text = (ROOT / "README.md").read_text()
    config = directory / "config.yml"
    config.write_text(re.search(r"^```yaml\n(.*?)^```$", text, re.M | re.S)[1])
    require_exit(0, "lint", f"--config.file={config}")
    [profile] = re.findall(r"^echo '(profiles: .*)' > config.yml$", text, re.M)
    config.write_text(profile.replace("{source: static_file}", f"{{source: environment}}, endpoint: {simulator.url}"))
    whole = require_exit(0, "baseline", "--all", f"--config.file={config}")
    config.write_text(whole)
    require_exit(2, "lint", f"--config.file={config}")
    config.write_text(re.sub(r'(owner|ticket|reason): ""', r'\1: "x"', whole))
    for command in ("lint", "check"):
        require_exit(0, command, f"--config.file={config}")
    print("ok   the first steps")


def main():
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=2", "--accounts=1"))
        first_steps(directory, simulator)
        daemon = own(Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}}}}}\npoll: {{interval: 1s}}\n{IMAGES}",
                            "--log.format=logfmt"))
        wait_for("a second listing", lambda: daemon.value("share_drift_listings_total", image_id="m-sim-2") > 1)
        require("metrics", daemon.http("/metrics")[2].decode().splitlines())
        text = page(directory, own, daemon)
        for file in ("README.md", "dashboards/README.md"):
            require_text(file, text)
        simulator.control("unshare", image="m-sim-2", accounts=[ACCOUNT])
        wait_for("the end of the drift", lambda: "event=drift_closed" in daemon.output())
        # A line as far as its sentence: the fields behind it are in dashboards/EVENTS.md.
        require("log", [match[1] for match in re.finditer(r'^ts=\S+ (level=.*? msg="[^"]*")', daemon.output(), re.M)])


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
