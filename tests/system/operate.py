#!/usr/bin/env python3
"""systemd/README.md, followed word by word on a fresh Debian 12: operate.py SOURCE FOLDER-OF-THE-DEB TREE

Every shell line of the chapter runs in the container as it stands there. Between the sections the machine is asked whether what
the chapter promises is so; then it is treated worse: killed, hung, its disk filled, upgraded, removed, purged.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from container import Container

SOURCE, PACKAGES, TREE = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
SKIP = 77
SECONDS = 3600
PATIENCE = 200  # seconds for what takes a moment: a machine may be busy or slow
BEGAN = time.monotonic()
UNIT = "share-drift-exporter"
METRICS = "curl -sf http://127.0.0.1:10191/metrics"


def chapter():
    """{section: [shell block]} of systemd/README.md."""
    text = (SOURCE / "systemd" / "README.md").read_text()
    found = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        found[title] = re.findall(r"^```sh\n(.*?)^```$", body, re.M | re.S)
    return found


class Operator:
    def __init__(self, box):
        self.box, self.sections = box, chapter()

    def follow(self, title, fails=(), shows=()):
        """Runs a section; only the lines named in `fails` may fail."""
        print(f"--- systemd/README.md: {title}", flush=True)
        shown = ""
        for block in self.sections.pop(title):
            trap = 'trap \'echo "FAILED: $BASH_COMMAND"\' ERR\n'
            _, output = self.box.run(trap + block, SECONDS)
            print(re.sub(r'^\(Reading database .*\n|^(Unpack|Prepar|Select|Setting).*\n', '', output, flags=re.M), flush=True)
            failed = [line for line in re.findall(r"^FAILED: (.*)$", output, re.M) if not any(word in line for word in fails)]
            assert not failed, f"{title}: {failed}"
            shown += output
        for word in shows:
            assert word in shown, f"{title} does not show {word}"

    def sees(self, script, pattern="", seconds=PATIENCE):
        output = self.box.until(script, seconds)
        assert re.search(pattern, output, re.M), f"{script}\nshows no {pattern}:\n{output}"
        print(f"seen: {script}", flush=True)
        return output

    def property(self, name, unit=UNIT):
        return self.box.run(f"systemctl show -P {name} {unit}")[1].strip()

    def heard(self, script, words):
        """What the unit tells systemd while the script runs."""
        status, output = self.box.run(f"systemctl log-level debug; date +%s.%N > heard; {script}")
        assert status == 0, f"{script}: {output}"
        self.sees(f"journalctl -u {UNIT} --since=@$(cat heard) | grep 'notification message from PID'", words)
        self.box.run("systemctl log-level info")

    def metric(self, line):
        self.sees(f"{METRICS} | grep -qxF '{line}'")


def install(operator):
    # Nobody answers apt's question.
    operator.box.run("echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/99yes; cp /srv/packages/old/*.deb .")
    operator.follow("Install")
    assert operator.property("ActiveState") == "inactive", "installing starts it"
    operator.sees(f"! systemctl is-enabled {UNIT}")
    operator.sees(f"{UNIT} lint")
    verified = operator.box.run(f"systemd-analyze verify --man=no {UNIT}.service {UNIT}.socket {UNIT}@0.service")
    assert verified == (0, ""), f"systemd-analyze verify: {verified}"
    operator.follow("Configure", fails=[f"{UNIT} check"], shows=["m-sim-2", "1715107400000001"])


def start(operator):
    operator.follow("Start and look", shows=["active (running)", "share_drift_unexpected_accounts", "drift_opened"])
    assert operator.property("Type") == "notify" and operator.property("SubState") == "running"
    assert operator.property("StatusText"), "no STATUS"
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-1"} 0')
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-2"} 1')
    operator.sees(f"journalctl -u {UNIT} | grep drift_closed", "m-sim-2")
    operator.sees(f"systemd-analyze security --threshold=12 {UNIT}", "1.1 OK")
    pid = operator.property("MainPID")
    # The dynamic user: not root, no capability, one file that holds the key, and nothing of it in the environment.
    operator.sees(f"grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/{pid}/status",
                  r"Uid:\s+6\d{4}(.|\n)*CapEff:\s+0+$(.|\n)*NoNewPrivs:\s+1\n(.|\n)*Seccomp:\s+2")
    operator.sees(f"! tr '\\0' '\\n' < /proc/{pid}/environ | grep -q simulator-secret")
    operator.sees(f"ls -l /run/credentials/{UNIT}.service/aliyun")
    operator.sees(f"! journalctl -u {UNIT} | grep -q simulator-secret")
    operator.sees("stat -c %a /var/lib/private/share-drift-exporter/state.db", "^600$")


def reload(operator):
    pid = operator.property("MainPID")
    operator.follow("Reload")
    operator.sees(f"journalctl -u {UNIT} | grep config_reloaded")
    operator.metric("share_drift_config_last_reload_successful 1")
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-2"} 0')
    box = operator.box
    box.run("cp /etc/share-drift-exporter/config.yml good.yml; echo 'imagse: []' >> /etc/share-drift-exporter/config.yml")
    operator.heard(f"! systemctl reload {UNIT}", r"RELOADING=1, MONOTONIC_USEC=\d+(.|\n)*READY=1, STATUS=watching 2 images")
    operator.metric("share_drift_config_last_reload_successful 0")
    operator.sees(f"journalctl -u {UNIT} | grep config_rejected", "imagse")
    assert operator.property("ActiveState") == "active", "a refused reload ends it"
    operator.sees(f"cp good.yml /etc/share-drift-exporter/config.yml; systemctl reload {UNIT}", seconds=0)
    operator.metric("share_drift_config_last_reload_successful 1")
    # A stranger appears and is seen; the process is still the one that was started.
    box.run("""curl -sf 127.0.0.1:8100/_sim/share -d '{"image":"m-sim-1","accounts":["9999999999999999"]}'""")
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-1"} 1')
    assert operator.property("MainPID") == pid and operator.property("NRestarts") == "0"

    print("--- a bad configuration at the start: one failure with the reason, and no second start", flush=True)
    operator.sees(f"echo 'imagse: []' >> /etc/share-drift-exporter/config.yml; ! systemctl restart {UNIT}", seconds=0)
    operator.sees(f"systemctl show -p ActiveState,NRestarts,ExecMainStatus {UNIT} | sort | xargs",
                  "^ActiveState=failed ExecMainStatus=2 NRestarts=0$")
    operator.sees(f"cp good.yml /etc/share-drift-exporter/config.yml; systemctl start {UNIT}", seconds=0)
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-1"} 1')


def abuse(operator):
    box = operator.box
    operator.sees(f"systemctl kill -s KILL {UNIT}")
    operator.sees(f"[ $(systemctl show -P NRestarts {UNIT}) = 1 ] && systemctl is-active {UNIT}")
    # Drift is known again before the first poll, and was not announced a second time.
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-1"} 1')
    operator.sees(f"[ $(journalctl -u {UNIT} | grep drift_opened | grep -c 9999999999999999) = 1 ]")

    print("--- hung: the watchdog ends it, and it comes back", flush=True)
    box.run(f"mkdir -p /run/systemd/system/{UNIT}.service.d; printf '[Service]\\nWatchdogSec=5\\nTimeoutAbortSec=1\\nRestartSec=0\\n' "
            f"> /run/systemd/system/{UNIT}.service.d/quick.conf; systemctl daemon-reload; systemctl restart {UNIT}; sleep 8")
    assert operator.property("NRestarts") == "0", "the watchdog ends one that works"
    box.run(f"systemctl kill -s STOP {UNIT}")
    operator.sees(f"journalctl -u {UNIT} | grep -i 'watchdog timeout'")
    operator.sees(f"systemctl is-active {UNIT} && {METRICS}", "share_drift_build_info")

    print("--- the disk is full, and then not", flush=True)
    state = "/var/lib/private/share-drift-exporter"
    box.run(f"systemctl stop {UNIT}; cp -a {state} kept; mount -t tmpfs -o size=1m,mode=0700 tmpfs {state}; cp -a kept/. {state}/; "
            f"chown --reference=kept {state}; systemctl start {UNIT}")
    operator.metric("share_drift_state_ok 1")
    box.run(f"dd if=/dev/zero of={state}/filler bs=4k 2>/dev/null")
    box.run("""curl -sf 127.0.0.1:8100/_sim/share -d '{"image":"m-sim-2","accounts":["8888888888888888"]}'""")
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-2"} 1')
    operator.metric("share_drift_state_ok 0")
    box.run(f"rm {state}/filler")
    operator.metric("share_drift_state_ok 1")
    # Every event that the full disk refused is there now.
    operator.sees(f"{UNIT} history --storage.path={state}/state.db | grep drift_opened", "8888888888888888")
    box.run(f"systemctl stop {UNIT}; cp -a {state}/. kept/; umount {state}; cp -a kept/. {state}/; rm -r "
            f"/run/systemd/system/{UNIT}.service.d; systemctl daemon-reload; systemctl start {UNIT}")


def lock_down(operator):
    operator.follow("Lock down", shows=["ealthy"])
    operator.sees("! curl -s http://127.0.0.1:10191/metrics | grep share_drift")
    operator.sees("curl -sf --cacert /etc/credstore/server.crt https://localhost:10191/metrics", "share_drift_build_info")


def sockets(operator):
    operator.follow("Restart without losing a scrape", shows=["ealthy"])
    operator.metric("share_drift_state_ok 1")
    # 20 restarts' worth of scrapes: none is refused while it goes down and comes up.
    script = """
systemctl restart share-drift-exporter & restart=$!
while kill -0 $restart 2>/dev/null; do curl -sf -m 200 -o /dev/null http://127.0.0.1:10191/-/healthy || exit 1; done
curl -sf -m 200 -o /dev/null http://127.0.0.1:10191/-/healthy"""
    operator.sees(f"for round in 1 2 3; do ({script}\n) || exit 3; done", seconds=0)
    # The socket alone is enough: the first scrape starts it.
    operator.heard(f"systemctl stop {UNIT}", "STOPPING=1, STATUS=stopping")
    operator.sees("curl -sf -m 200 http://127.0.0.1:10191/metrics | grep share_drift_build_info")
    assert operator.property("ActiveState") == "active"


def upgrade(operator):
    box = operator.box
    pid = operator.property("MainPID")
    box.run("rm *.deb; cp /srv/packages/new/*.deb .")
    operator.follow("Upgrade and remove")
    operator.sees("dpkg-query -W -f '${Version} ${db:Status-Status}' share-drift-exporter", r"^\S+\+test installed")
    operator.sees(f"systemctl is-active {UNIT}")
    assert operator.property("MainPID") != pid, "the old one still runs"
    operator.sees("cmp good.yml /etc/share-drift-exporter/config.yml && grep systemd-socket /etc/default/share-drift-exporter")
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-1"} 1')

    operator.sees(f"apt-get remove {UNIT}", seconds=0)
    operator.sees(f"! systemctl is-active {UNIT} && ! curl -s http://127.0.0.1:10191/")
    operator.sees("[ -s /etc/share-drift-exporter/config.yml ] && [ -s /var/lib/private/share-drift-exporter/state.db ]")
    operator.sees("apt-get install ./*.deb && systemctl enable --now share-drift-exporter.socket", seconds=0)
    box.run("rm *.deb")
    operator.metric('share_drift_unexpected_accounts{image_id="m-sim-1"} 1')

    operator.sees(f"apt-get purge {UNIT}", seconds=0)
    operator.sees("[ -f /etc/credstore/aliyun ]")
    left = box.run("find / -xdev -name '*share-drift*' ! -path '/proc/*' ! -path '/srv/*' ! -path '/var/cache/apt/*' "
                   "! -path '/etc/systemd/system/share-drift-exporter.service.d*' 2>/dev/null")[1].split()
    assert not left, f"purge leaves {left}"
    operator.sees("[ -z \"$(systemctl list-units --all --plain --no-legend 'share-drift*')\" ]")
    assert not any(operator.sections.values()), f"not followed: {operator.sections}"


def shards(operator):
    """The template unit: each of two daemons watches its part, with a state of its own."""
    box = operator.box
    for shard in (0, 1):
        box.run(f"echo 'ARGS=\"--shard.count=2 --web.listen-address=127.0.0.1:1920{shard}\"' > /etc/default/{UNIT}-{shard}")
    operator.sees(f"systemctl start {UNIT}@0 {UNIT}@1")
    operator.sees("[ $(curl -sf 127.0.0.1:19200/metrics 127.0.0.1:19201/metrics | grep -c ^share_drift_image_info) = 2 ]")
    operator.sees(f"ls /var/lib/private/{UNIT}-0/state.db /var/lib/private/{UNIT}-1/state.db")


def packages(folder):
    """The packages, and the daemon's with a later version."""
    for name in ("old", "new"):
        (folder / name).mkdir()
    for deb in PACKAGES.glob("*.deb"):
        shutil.copy(deb, folder / "old")
    [deb] = PACKAGES.glob(f"{UNIT}_*.deb")
    run = lambda *words: subprocess.run(words, check=True, timeout=60, stdout=subprocess.DEVNULL)  # noqa: E731
    run("dpkg-deb", "-R", deb, folder / "raw")
    control = folder / "raw/DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+test", control.read_text(), flags=re.M))
    run("dpkg-deb", "-b", "-Znone", "--root-owner-group", folder / "raw", folder / "new" / deb.name.replace("_amd64", "+test_amd64"))
    shutil.rmtree(folder / "raw")


def give_up(number, _):
    raise AssertionError(f"signal {number}: this test has {SECONDS} s")


def main():
    # However this ends, the container is ended: nobody else would do it.
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, give_up)
    signal.alarm(SECONDS)
    if not TREE.is_dir():
        print("skipped: there is no tree to boot, see system.tree")
        return SKIP
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        packages(pathlib.Path(name))
        with Container(TREE, {name: "/srv/packages"}) as box:
            operator = Operator(box)
            try:
                for step in (install, start, reload, abuse, shards, lock_down, sockets, upgrade):
                    step(operator)
                    print(f"{step.__name__}: {time.monotonic() - BEGAN:.0f} s", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as miss:
                print(f"FAILED: {miss}\n" + box.run(f"systemctl status --no-pager -n 0 '{UNIT}*'; journalctl --no-pager -n 40")[1])
                return 1
    print("the chapter holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
