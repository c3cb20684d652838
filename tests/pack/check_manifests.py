#!/usr/bin/env python3
"""Checks the YAML for Kubernetes and Grafana against published models: check_manifests.py SOURCE_DIR BUILD_DIR.

Kustomizations are rendered by the kubectl on PATH; each rendering must fit together.
"""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness.npm import install  # noqa: E402

ENTRANCES = ("workload", "base", "overlays/ack", "overlays/podmonitor", "overlays/rrsa", "overlays/shards", "overlays/tls")


def render(root, folder):
    """{entrance: file with all its objects}"""
    for entrance in ENTRANCES:
        done = subprocess.run(["kubectl", "kustomize", root / "config/kubernetes" / entrance], capture_output=True, text=True,
                              timeout=600)
        if done.returncode != 0:
            sys.exit(f"kubectl kustomize {entrance}: {done.stderr}")
        file = pathlib.Path(folder, entrance.replace("/", "-") + ".yaml")
        file.write_text(done.stdout)
        yield file


def check_rules(root):
    """The rules that the operator gets are rules, and are those of dashboards/alerts."""
    subprocess.run([sys.executable, HERE / "prometheus_rule.py", root], check=True, timeout=600)
    text = (root / "config/kubernetes/monitoring/prometheusrule.yaml").read_text().partition("spec:\n")[2]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("\n".join(line[2:] for line in text.splitlines()))
        file.flush()
        told = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, timeout=600)
    if told.returncode != 0:
        sys.exit(f"PrometheusRule: {told.stdout}{told.stderr}")


def main():
    root, build = map(pathlib.Path, sys.argv[1:3])
    config = root / "config"
    check_rules(root)
    plain = sorted(path for path in [*config.glob("grafana/provisioning/*/*.yml"), *config.glob("file_sd/*.yml"),
                                     config / "kubernetes/secret.example.yaml"])
    with tempfile.TemporaryDirectory() as folder:
        renderings = list(render(root, folder))
        done = subprocess.run(["node", HERE / "manifests.js", install(HERE, build), version(root), str(len(renderings)), *renderings,
                               *plain], capture_output=True, text=True, timeout=1200)
    if done.returncode != 0 or f"{len(renderings)} kustomizations and {len(plain)} files hold" not in done.stdout:
        sys.exit(done.stdout + done.stderr)
    print(done.stdout.strip())


def version(root):
    text = (root / "CMakeLists.txt").read_text()
    return text.partition("project(share-drift-exporter VERSION ")[2].split()[0]


if __name__ == "__main__":
    main()
