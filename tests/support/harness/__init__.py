"""Runs the real programs for tests and the demo: simulator, daemon, Prometheus, Alertmanager, a webhook sink.

Everything listens on 127.0.0.1 with a port of the kernel's choice, lives in a directory of its own, is bounded in time and is
ended by the pid it was started with. Python's standard library only.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from .web import Handler, WebhookSink, WebServer  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("SHAREDRIFT_BIN_DIR", ROOT / "build" / "release" / "bin"))


class Failed(Exception):
    """A step did not happen; the message says what was awaited and what was there instead."""


PATIENCE = 300.0  # seconds. No test needs to be quick: what takes one on an idle machine takes many on a busy one.


def slowness():
    """How many times longer a piece of work takes now than on an idle machine, at least 1: for promises about time."""
    begin = time.monotonic()
    sum(i * i for i in range(2_000_000))
    return max(1.0, (time.monotonic() - begin) / 0.1)


def wait_for(what, condition, seconds=PATIENCE, every=0.05):
    """Returns the first true value of condition(); raises Failed with its last value or error after `seconds`."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, ValueError, KeyError, Failed) as error:
            last = error
        if time.monotonic() >= end:
            raise Failed(f"waited {seconds:g} s for {what}; last seen: {last!r}")
        time.sleep(every)


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fetch(url, data=None, method=None, headers=None, timeout=60.0):
    """(status, headers, body) of any answer; raises OSError if there is none."""
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


class Process:
    """A child that is ended by its pid. Its output goes to a file."""

    def __init__(self, name, argv, directory, env=None, **popen):
        self.name = name
        self.log = pathlib.Path(directory) / f"{name}.log"
        self._out = open(self.log, "ab")
        base = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
                or k.endswith("SAN_OPTIONS")}
        base.setdefault("HOME", str(directory))
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=self._out,
                                        stderr=subprocess.STDOUT, cwd=directory, env={**base, **(env or {})}, **popen)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def send(self, number):
        os.kill(self.pid, number)

    def stop(self, seconds=PATIENCE, number=signal.SIGTERM):
        """Ends the child and returns its exit code; kills it if it does not end in time."""
        if self.running():
            self.send(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._out.close()
        found = re.search(r"^.*(?:ERROR|WARNING): \w+Sanitizer(?:.*\n?){1,60}|^.*runtime error: .*", self.output(), re.M)
        if found:
            raise Failed(f"{self.name}: {found[0]}")
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()


class Simulator(Process):
    """ens-simulator with one key; speaks its control path."""

    KEY, SECRET = "sim-access-key-id", "sim-access-key-secret"

    def __init__(self, directory, *flags, name="simulator", port=0, env=None):
        super().__init__(name, [BIN / "ens-simulator", f"--port={port}", f"--access-key-id={self.KEY}", *flags], directory,
                         env={"ENS_SIMULATOR_ACCESS_KEY_SECRET": self.SECRET, **(env or {})})

        def listening():
            if not self.running():
                raise Failed(f"{name} ended at its start: {self.output()}")
            return re.search(r'"port":\s*(\d+)', self.output())
        self.port = int(wait_for(f"{name} to listen", listening).group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def control(self, path, **arguments):
        status, _, body = fetch(f"{self.url}/_sim/{path}", json.dumps(arguments).encode(), "POST",
                               {"Content-Type": "application/json"}, timeout=PATIENCE)
        if status != 200:
            raise Failed(f"the simulator refused {path} {arguments}: {status} {body.decode(errors='replace')}")
        return json.loads(body) if body else {}

    def get(self, path):
        return json.loads(fetch(f"{self.url}/_sim/{path}", timeout=PATIENCE)[2])


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"')


def parse_metrics(text):
    """{(name, frozenset of label pairs): value}"""
    samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            pairs = frozenset((k, re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], v))
                              for k, v in LABEL.findall(labels or ""))
            samples[(name, pairs)] = float(value)
    return samples


class Daemon(Process):
    """share-drift-exporter on a config text, with its state in the directory."""

    def __init__(self, directory, config, *flags, name="daemon", env=None, key=Simulator.KEY, secret=Simulator.SECRET,
                 port=None, wait=True, wrapper=(), **popen):
        self.directory = pathlib.Path(directory)
        self.config = self.directory / f"{name}.yml"
        if config is not None:
            self.write_config(config)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": key, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret} if key else {}
        super().__init__(name, [*wrapper, BIN / "share-drift-exporter", "run", f"--config.file={self.config}",
                                f"--web.listen-address=127.0.0.1:{self.port}",
                                *([] if any(f.startswith("--log.format") for f in flags) else ["--log.format=json"]),
                                *([] if any(f.startswith("--storage.path") for f in flags) else
                                  [f"--storage.path={self.directory / (name + '.db')}"]), *flags],
                         directory, env={**keys, **(env or {})}, **popen)
        if wait:
            self.wait_ready()

    def write_config(self, text):
        """Replaces the config in one step, as an operator's tool does."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o644)
        os.replace(fresh, self.config)

    def wait_ready(self):
        def ready():
            if not self.running():
                raise Failed(f"{self.name} ended with {self.process.returncode}: {self.output()[-2000:]}")
            return self.http("/-/ready")[0] == 200
        wait_for(f"{self.name} to be ready", ready)

    def http(self, path, **arguments):
        return fetch(self.url + path, **arguments)

    def metrics(self):
        status, _, body = self.http("/metrics")
        if status != 200:
            raise Failed(f"/metrics answered {status}")
        return parse_metrics(body.decode())

    def value(self, name, **labels):
        """The value of the one series of that name with these labels among others; None if there is none."""
        wanted = set(labels.items())
        found = [v for (n, pairs), v in self.metrics().items() if n == name and wanted <= pairs]
        if len(found) > 1:
            raise Failed(f"{name} {labels} names {len(found)} series")
        return found[0] if found else None

    def wait_value(self, name, expected, **labels):
        wait_for(f"{name}{labels} == {expected}", lambda: [self.value(name, **labels)] == [expected])

    def state(self, image):
        for (name, pairs) in self.metrics():
            labels = dict(pairs)
            if name == "share_drift_image_state" and labels["image_id"] == image:
                return labels["state"]
        return None

    def events(self, event=None, **fields):
        found = []
        for line in self.output().splitlines():
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if event in (None, record.get("event")) and all(record.get(k) == v for k, v in fields.items()):
                    found.append(record)
        return found

    def wait_event(self, event, **fields):
        return wait_for(f"event {event} {fields}", lambda: self.events(event, **fields))[-1]


def run(*arguments, env=None, timeout=PATIENCE, key=Simulator.KEY, secret=Simulator.SECRET):
    """Runs share-drift-exporter once: (exit code, stdout, stderr)."""
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": key, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret} if key else {}
    done = subprocess.run([str(BIN / "share-drift-exporter"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout, text=True, errors="replace",
                          env={"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                               **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **keys, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def certificate(directory):
    """A self-signed one for 127.0.0.1: (certificate, key)."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True, timeout=PATIENCE)
    return cert, key


class Prometheus(Process):
    """Debian's Prometheus on a config that the caller writes."""

    def __init__(self, directory, config, name="prometheus"):
        path = pathlib.Path(directory) / "prometheus.yml"
        path.write_text(config)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(name, ["prometheus", f"--config.file={path}", f"--web.listen-address=127.0.0.1:{self.port}",
                                f"--storage.tsdb.path={pathlib.Path(directory) / 'tsdb'}", "--web.enable-lifecycle",
                                "--log.level=warn"], directory)
        wait_for("Prometheus to be ready", lambda: fetch(self.url + "/-/ready")[0] == 200)

    def query(self, expression):
        """[(labels, value)] of an instant query."""
        from urllib.parse import urlencode
        status, _, body = fetch(self.url + "/api/v1/query?" + urlencode({"query": expression}))
        answer = json.loads(body)
        if status != 200 or answer["status"] != "success":
            raise Failed(f"query {expression}: {answer}")
        if answer["data"]["resultType"] == "scalar":
            return [({}, float(answer["data"]["result"][1]))]
        return [(r["metric"], float(r["value"][1])) for r in answer["data"]["result"]]

    def wait_query(self, expression, condition):
        """Waits until condition(list of values) holds; returns the series."""
        def holds():
            series = self.query(expression)
            if not condition([value for _, value in series]):
                raise Failed(f"{expression} = {series}")
            return series or True
        return wait_for(expression, holds, every=0.2)

    def firing(self):
        _, _, body = fetch(self.url + "/api/v1/alerts")
        return [a["labels"] for a in json.loads(body)["data"]["alerts"] if a["state"] == "firing"]


QUICKLY = {r"(group_wait|group_interval): \S+": r"\1: 1s"}


def alertmanager_config(sink, changes):
    """The shipped Alertmanager file with the sink as every channel; `changes` is {pattern: what is put in its place}."""
    text = (ROOT / "config" / "alertmanager.yml").read_text()
    for pattern, new in {r"replace-me:/|http://127\.0\.0\.1:8060": sink.url, r"\.\./dashboards/": f"{ROOT}/dashboards/", **changes}.items():
        text, count = re.subn(pattern, new, text)
        if not count:
            raise Failed(f"alertmanager.yml has no {pattern}")
    return text


class Alertmanager(Process):
    def __init__(self, directory, config, name="alertmanager"):
        path = pathlib.Path(directory) / "alertmanager.yml"
        path.write_text(config)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(name, ["prometheus-alertmanager", f"--config.file={path}", "--cluster.listen-address=",
                                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
                                f"--storage.path={pathlib.Path(directory) / 'alertmanager'}"], directory)
        wait_for("Alertmanager to be ready", lambda: fetch(self.url + "/-/ready")[0] == 200)


@contextlib.contextmanager
def workspace(keep=False):
    """A directory and an ExitStack-like list of things to stop, last first."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sharedrift-"))
    stack = contextlib.ExitStack()
    try:
        yield directory, lambda thing: (stack.callback(thing.stop), thing)[1]
    finally:
        if keep:
            stack.pop_all()
        else:
            stack.close()
            shutil.rmtree(directory, ignore_errors=True)
