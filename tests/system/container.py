"""A Debian that boots, in a container of systemd-nspawn: bounded, without network, and gone afterwards.

The tree on disk is only read: what the container writes lies in memory and vanishes with it. It has its own /dev, /proc and network.
"""
import os
import pathlib
import re
import signal
import subprocess
import time

CGROUPS = [pathlib.Path("/sys/fs/cgroup/systemd"), pathlib.Path("/sys/fs/cgroup/unified")]
PATIENCE = 600  # seconds: what takes five on an idle machine
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Container:
    """with Container(tree, {host folder: folder inside}) as box: box.run("systemctl status")"""

    def __init__(self, tree, binds):
        self.name = f"share-drift-test-{os.getpid()}"
        self.tree, self.binds = tree, binds
        # Without systemd on this machine nobody makes a scope for nspawn: it stays in a cgroup that is made here.
        self.booted = pathlib.Path("/run/systemd/system").is_dir()
        self.groups = [] if self.booted else [group / self.name for group in CGROUPS if (group / "cgroup.procs").is_file()]
        self.nspawn = self.leader = None

    def _in_child(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text("0")

    def __enter__(self):
        for group in self.groups:
            group.mkdir()
        command = ["systemd-nspawn", "--quiet", f"--directory={self.tree}", "--boot", "--volatile=overlay", "--register=no",
                   "--settings=no", "--private-network", "--console=pipe", f"--machine={self.name}", "--hostname=debian",
                   "--link-journal=no", "--resolv-conf=off", "--timezone=off"]
        command += [f"--bind-ro={host}:{inside}" for host, inside in self.binds.items()]
        if not self.booted:
            command.append("--keep-unit")
        self.nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=self._in_child,
                                       env={"PATH": PATH, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        try:
            end = time.monotonic() + PATIENCE
            while not self.leader:
                self.leader = self._init()
                if self.nspawn.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the container did not start")
                time.sleep(0.05)
            self.until('systemctl is-system-running 2>/dev/null | grep -qx running', PATIENCE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _init(self):
        """The pid of the container's systemd; nspawn has other children on the way there."""
        try:
            for child in pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split():
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                if status.startswith("Name:\tsystemd\n") and re.search(r"^NSpid:\t\d+\t1$", status, re.M):
                    return child
        except OSError:
            pass
        return None

    def __exit__(self, *_):
        # RTMIN+4 is systemd's word for: power off. The end of its pid 1 is the end of everything in there.
        for number, seconds in ((signal.SIGRTMIN + 4, 40), (signal.SIGKILL, 10)):
            leader = self.leader or self._init()
            try:
                if leader:
                    os.kill(int(leader), number)
                else:
                    self.nspawn.terminate()
                self.nspawn.wait(seconds)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        else:
            self.nspawn.kill()
            self.nspawn.wait()
        for group in self.groups:
            for folder, _, _ in sorted(os.walk(group), reverse=True):
                os.rmdir(folder)
        propagate = pathlib.Path("/run/systemd/nspawn/propagate") / self.name
        if propagate.is_dir():
            propagate.rmdir()

    def run(self, script, timeout=PATIENCE):
        """Runs a bash script inside as root; (exit status, output and errors as they came)."""
        enter = ["nsenter", "--target", self.leader, "--all", "--", "/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root",
                 "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "bash", "-c", f"cd /root\n{script}"]
        ran = subprocess.run(enter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=timeout)
        return ran.returncode, ran.stdout

    def until(self, script, seconds=PATIENCE):
        """Runs the script until it succeeds; its last output."""
        end = time.monotonic() + seconds
        while True:
            status, output = self.run(script)
            if status == 0:
                return output
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for: {script}\n{output}")
            time.sleep(0.2)
