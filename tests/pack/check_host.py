#!/usr/bin/env python3
"""The shell blocks of dashboards/README.md that set up Debian's Prometheus and Alertmanager, run on a copy of /etc: check_host.py SOURCE"""
import pathlib
import re
import subprocess
import sys
import tempfile

FILES = ("prometheus/prometheus.yml", "prometheus/alertmanager.yml", "default/prometheus-alertmanager")
ABSENT = "systemctl() { :; }; apt() { :; }; python3() { :; }\n"  # no service, package or listener is touched


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    blocks = re.findall(r"^```sh\n(.*?)^```$", (root / "dashboards/README.md").read_text(), re.M | re.S)
    with tempfile.TemporaryDirectory() as folder:
        etc = pathlib.Path(folder)
        (etc / "prometheus/alertmanager_templates").mkdir(parents=True)
        (etc / "default").mkdir()
        for name in FILES:
            (etc / name).write_text(pathlib.Path("/etc", name).read_text())
        for block in blocks:
            done = subprocess.run(["bash", "-ec", ABSENT + block.replace("/etc/", f"{etc}/")], cwd=root, capture_output=True, text=True,
                                  timeout=100, check=False)
            if done.returncode != 0:
                sys.exit(f"dashboards/README.md:\n{block}{done.stdout}{done.stderr}")
        scrapes, tells, arguments = ((etc / name).read_text() for name in FILES)
        faults = [f"Prometheus does not get {part}" for part in ("rule_files:\n  - share-drift.*.yml\n", "job_name: share-drift\n")
                  if part not in scrapes]
        [templates] = re.findall(r"^  - (\S+)\.tmpl", tells, re.M)
        if {path.name for path in etc.glob(f"{templates.removeprefix(str(etc) + '/')}.tmpl")} != {"share-drift.tmpl", "slack.tmpl"}:
            faults.append(f"Alertmanager finds no words in {templates}")
        wanted = ((tells, "\n  receiver: share-drift-email\n"), (tells, "http://127.0.0.1:9999/page"),
                  (arguments, "--cluster.listen-address="))
        faults += [f"not set: {part}" for text, part in wanted if part not in text]
    print("\n".join(faults) or f"{len(blocks)} blocks leave what Prometheus and Alertmanager take")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
