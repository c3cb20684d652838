#!/usr/bin/env python3
"""config/README.md, line by line: check_guide.py SOURCE PROGRAMS IMAGE

Every shell line runs in a copy of what it names. Real are gpg, sha256sum, skopeo, the daemon's lint, and kubectl where it asks no
cluster; a registry is a folder. What kubectl would ask a cluster for is written down, and checked.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, PROGRAMS, IMAGE = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
BUILDER = "builder@example.org"
REGISTRY = "registry.example"
STAND_INS = {
    # Built already: what is left of ./dev image is the signature.
    "dev": """[ "$1" = image ] || exit 9
mkdir -p build/release; cp -r "$IMAGE" build/release/image
"$SOURCE/systemd/packaging/checksums.sh" build/release/image "${2#--sign=}" """,
    "skopeo": """[ "$1 ${3%%/*}" = "copy docker:" ] && exec "$REAL_SKOPEO" copy --quiet "$2" "dir:$PLACE/registry"; exit 9""",
    # The guide has an editor here.
    "amtool": """[ "$1" = check-config ] && sed -i 's|replace-me:|https:|' "$2" && exec "$REAL_AMTOOL" "$@"; exit 9""",
    "kubectl": """echo "$*" >> "$PLACE/asked"
case "$1 $2" in
  kustomize*) exec "$REAL_KUBECTL" "$@" ;;
  "create namespace" | "create secret") exec "$REAL_KUBECTL" "$@" --dry-run=client -o yaml ;;
  "apply -k") exec "$REAL_KUBECTL" kustomize "$3" ;;
esac""",
}
CLUSTER = [r"kustomize mine", r"kustomize mine", r"create namespace share-drift", r"create secret generic share-drift-exporter-key .*", r"apply -k mine",
           r"rollout status --namespace=share-drift statefulset/share-drift-exporter",
           r"port-forward --namespace=share-drift service/share-drift-exporter-web 10191",
           r"create secret generic share-drift-alertmanager --namespace=monitoring --from-file=mine/alertmanager"]


def version():
    return re.search(r"project\(share-drift-exporter VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]


def lines():
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", (SOURCE / "config/README.md").read_text(), re.M | re.S))


def prepare(place):
    """A tree with what the page names; its environment."""
    for folder in ("config", "dashboards"):
        shutil.copytree(SOURCE / folder, place / folder)
    (place / "build/release").mkdir(parents=True)
    (place / "build/release/bin").symlink_to(PROGRAMS)
    (place / "bin").mkdir()
    for name, script in STAND_INS.items():
        file = place / (name if name == "dev" else f"bin/{name}")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    (place / "key").write_text("access_key_id=a\naccess_key_secret=b\n")
    (place / "gnupg").mkdir(mode=0o700)
    return {**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}", "PLACE": str(place), "SOURCE": "https://git.example/x",
            "GNUPGHOME": str(place / "gnupg"), "KEY": BUILDER, "KEY_FILE": str(place / "key"), "REGISTRY": REGISTRY,
            "IMAGE": str(IMAGE), "REAL_SKOPEO": shutil.which("skopeo"), "REAL_KUBECTL": shutil.which("kubectl"), "REAL_AMTOOL": shutil.which("amtool")}


def lint_samples():
    """The configurations of the kustomizations are good ones."""
    samples = sorted((SOURCE / "config/kubernetes").rglob("config.yml"))
    for sample in samples:
        said = subprocess.run([PROGRAMS / "share-drift-exporter", "lint", "--no-files", f"--config.file={sample}"], capture_output=True, text=True,
                              timeout=600)
        if said.returncode != 0:
            sys.exit(f"{sample}: {said.stdout}{said.stderr}")
    return len(samples)


def main():
    linted = lint_samples()
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        environment = prepare(place)
        (place / "dev").write_text((place / "dev").read_text().replace("$SOURCE/", f"{SOURCE}/"))
        try:
            subprocess.run(["gpg", "--batch", "--passphrase", "", "--quick-generate-key", BUILDER, "ed25519", "sign", "1d"], check=True,
                           capture_output=True, env=environment, timeout=600)
            done = subprocess.run(["bash", "-euxo", "pipefail", "-c", lines()], cwd=place, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1200)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=environment, timeout=600)
        if done.returncode != 0:
            sys.exit(done.stdout[-6000:])
        asked = (place / "asked").read_text().splitlines()
        if len(asked) != len(CLUSTER) or not all(re.fullmatch(p, a) for p, a in zip(CLUSTER, asked)):
            sys.exit(f"kubectl was asked {asked}")
        rendered = (place / "mine/all.yaml").read_text()
        for wanted in (f"image: {REGISTRY}/share-drift-exporter:{version()}", "namespace: share-drift", "name: partner-north", "kind: PrometheusRule",
                       "name: test-image"):
            if wanted not in rendered:
                sys.exit(f"not in the rendering: {wanted}")
        if rendered.count("release: kube-prometheus-stack") != 2:
            sys.exit("monitor and rules have no label release")
        if "/etc/alertmanager/config/*.tmpl" not in (place / "mine/alertmanager/alertmanager.yaml").read_text():
            sys.exit("the Alertmanager does not find its templates")
        if not (place / "registry/manifest.json").is_file():
            sys.exit("nothing was copied to the registry")
    print(f"{len(lines().splitlines())} lines followed, {linted} configurations linted")


if __name__ == "__main__":
    main()
