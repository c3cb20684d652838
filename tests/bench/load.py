"""The real daemon against the simulator: what polls, scrapes, both at once and nothing at all cost."""
import concurrent.futures
import http.client
import math
import pathlib
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import Daemon, Failed, Simulator, wait_for  # noqa: E402

ACCOUNTS = 3        # that each image is shared with
CONCURRENCY = 16
LATENCY_MS = 20     # of the simulator, where a cycle's wall time is measured
SCRAPERS = 40
VAST = 50_000       # images; of larger fleets only the outlines are measured


def cpu_seconds(pid):
    """User and system time of all threads of a process, by its CPU clock."""
    return time.clock_gettime(((~pid) << 3) | 2)


def status_kb(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise Failed(f"no {field} of process {pid}")


def wakeups(pid):
    """{thread: how often it went to sleep by itself}"""
    counts = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                counts[task.name] = int(line.split()[1])
    return counts


def percentile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def config(simulator, images, interval):
    lines = ["profiles:", "  default:", f"    endpoint: {simulator.url}", "    credentials: {source: environment}",
             "    requests_per_second: 0", f"    concurrency: {CONCURRENCY}",
             "poll:", f"  interval: {interval}", "  spread: none", "  confirm_clears: 1", "images:"]
    for number in range(1, images + 1):
        lines += [f"  - id: m-sim-{number}", '    required: ["1715107400000001", "1715107400000002"]',
                  '    allowed: ["1715107400000003"]']
    return "\n".join(lines) + "\n"


class Scraper:
    """One connection that is kept, as Prometheus keeps it."""

    def __init__(self, port, gzip):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Accept": "text/plain;version=0.0.4", **({"Accept-Encoding": "gzip"} if gzip else {})}

    def scrape(self):
        """(milliseconds to the last byte, bytes)"""
        begin = time.perf_counter()
        self.connection.request("GET", "/metrics", headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failed(f"/metrics answered {answer.status}")
        return (time.perf_counter() - begin) * 1e3, len(body)


def requests_seen(simulator):
    return simulator.get("requests?limit=0")["data"]["total"]


def start(args, simulator, images, interval, name):
    text = config(simulator, images, interval)
    begin = time.monotonic()
    daemon = args.stop_later(Daemon(args.directory, text, "--log.level=warn", name=name,
                                    wait=False))

    def answers():
        if not daemon.running():
            raise SystemExit(f"the daemon ended: {daemon.output()[-2000:]}")
        return daemon.http("/metrics")[0] == 200
    wait_for("the first scrape", answers, 60, every=0.002)
    return daemon, (time.monotonic() - begin) * 1e3


def poll_cost(args, images, found):
    """CPU of a poll in cycles without pause."""
    simulator = args.stop_later(Simulator(args.directory, f"--images={images}", f"--accounts={ACCOUNTS}",
                                          name=f"sim-busy-{images}"))
    daemon, found["start_to_first_scrape_ms"] = start(args, simulator, images, "1s", f"busy-{images}")
    wait_for("a whole cycle", lambda: daemon.http("/-/ready")[0] == 200, 120, 0.02)
    settle = requests_seen(simulator)
    cpu, begin = cpu_seconds(daemon.pid), time.monotonic()
    aim = settle + max(images, 3 * 1000)
    wait_for("another cycle", lambda: requests_seen(simulator) >= aim, 120, 0.2)
    polls = requests_seen(simulator) - settle
    found["cpu_us_per_poll"] = (cpu_seconds(daemon.pid) - cpu) / polls * 1e6
    found["polls_per_s"] = polls / (time.monotonic() - begin)
    daemon.stop()
    simulator.stop()


def quiet_cost(args, images, found):
    """One cycle at a known latency, then nothing but scrapes, then nothing at all, then polls and scrapes at once."""
    simulator = args.stop_later(Simulator(args.directory, f"--images={images}", f"--accounts={ACCOUNTS}",
                                          f"--latency-ms={LATENCY_MS}", name=f"sim-{images}"))
    daemon, _ = start(args, simulator, images, "1h", f"quiet-{images}")
    begin = time.monotonic()  # the first poll leaves as the first scrape is answered
    wait_for("a whole cycle", lambda: daemon.http("/-/ready")[0] == 200, 300, 0.02)
    found["cycle_s"] = time.monotonic() - begin
    found["cycle_to_limit"] = found["cycle_s"] / (images / CONCURRENCY * LATENCY_MS / 1e3)
    time.sleep(1)
    found["rss_mb"] = status_kb(daemon.pid, "VmRSS") / 1024
    scrape_cost(daemon, 100 if images < VAST else 30, found)
    time.sleep(2)
    # The first half minute's attempt counters are written in here.
    cpu, woken, seconds = cpu_seconds(daemon.pid), wakeups(daemon.pid), 5 if args.quick else 30
    time.sleep(seconds)
    found["idle_cpu_ms_in_30_s"] = (cpu_seconds(daemon.pid) - cpu) * 1e3 * 30 / seconds
    found["idle_wakeups_per_s"] = sum(n - woken.get(thread, 0) for thread, n in wakeups(daemon.pid).items()) / seconds
    found["scrapers_40_at_once_p99_ms"] = crowd(daemon.port, lambda scraper: [scraper.scrape()[0] for _ in range(3)])
    found["rss_after_scrapes_mb"] = status_kb(daemon.pid, "VmRSS") / 1024
    found["rss_peak_mb"] = status_kb(daemon.pid, "VmHWM") / 1024
    contention(args, images, simulator, daemon, found)
    daemon.stop()
    simulator.stop()


def scrape_cost(daemon, scrapes, found, codings=("plain", "gzip")):
    for coding in codings:
        scraper = Scraper(daemon.port, coding == "gzip")
        first, size = scraper.scrape()
        cpu = cpu_seconds(daemon.pid)
        times = [scraper.scrape()[0] for _ in range(scrapes)]
        found[f"scrape_{coding}_first_ms"] = first
        found[f"scrape_{coding}_p50_ms"] = statistics.median(times)
        found[f"scrape_{coding}_p99_ms"] = percentile(times, 0.99)
        found[f"scrape_{coding}_cpu_ms"] = (cpu_seconds(daemon.pid) - cpu) / len(times) * 1e3
        found[f"scrape_{coding}_mb"] = size / 1e6


def crowd(port, work):
    """The 99th percentile of what SCRAPERS at once find; `work` makes times of a scraper."""
    with concurrent.futures.ThreadPoolExecutor(SCRAPERS) as pool:
        return percentile([ms for times in pool.map(lambda _: work(Scraper(port, gzip=True)), range(SCRAPERS))
                           for ms in times], 0.99)


def paced(port, seconds, times):
    """Adds what scrapes take that come one by one, with 20 ms between them."""
    end = time.monotonic() + seconds
    scrapers = {coding: Scraper(port, coding == "gzip") for coding in times}
    while time.monotonic() < end:
        for coding, scraper in scrapers.items():
            times[coding].append(scraper.scrape()[0])
            time.sleep(0.02)


def contention(args, images, simulator, daemon, found):
    """Scrapes while nothing is polled, before and after, and while polls never pause; polls with and without scrapes."""
    seconds = 1.5 if args.quick else 5
    idle, polling = {"plain": [], "gzip": []}, {"plain": [], "gzip": []}
    paced(daemon.port, seconds, idle)

    daemon.write_config(config(simulator, images, "1s"))
    daemon.send(signal.SIGHUP)
    before = requests_seen(simulator)
    wait_for("polls without pause", lambda: requests_seen(simulator) > before + CONCURRENCY * 4, 60)

    def rate(work):
        polls, begin = requests_seen(simulator), time.monotonic()
        work()
        return (requests_seen(simulator) - polls) / (time.monotonic() - begin)
    paced(daemon.port, 2 * seconds, polling)
    alone = rate(lambda: time.sleep(seconds))

    def every_second(scraper):
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            times.append(scraper.scrape()[0])
            time.sleep(max(0.0, 1 - times[-1] / 1e3))
        return times

    def scraped():
        found["scrapers_40_while_polling_p99_ms"] = crowd(daemon.port, every_second)
    beside = rate(scraped)

    daemon.write_config(config(simulator, images, "1h"))
    daemon.send(signal.SIGHUP)

    def calm():
        seen = requests_seen(simulator)
        time.sleep(0.5)
        return requests_seen(simulator) == seen
    wait_for("the polls to end", calm, 200)
    paced(daemon.port, seconds, idle)
    for coding in idle:
        still, moving = (percentile(times[coding], 0.99) for times in (idle, polling))
        found[f"paced_{coding}_idle_p99_ms"] = still
        found[f"paced_{coding}_polling_p99_ms"] = moving
        found[f"paced_{coding}_polling_to_idle"] = moving / still
    found["polls_per_s_at_20_ms"] = alone
    found["polls_per_s_beside_40_scrapers"] = beside


def outlines(args, images, found):
    """A vast fleet: one cycle at no latency, scrapes after it, nothing at all."""
    simulator = args.stop_later(Simulator(args.directory, f"--images={images}", f"--accounts={ACCOUNTS}",
                                          name=f"sim-{images}"))
    daemon, found["start_to_first_scrape_ms"] = start(args, simulator, images, "1h", f"vast-{images}")
    cpu, begin = cpu_seconds(daemon.pid), time.monotonic()
    wait_for("a whole cycle", lambda: daemon.http("/-/ready")[0] == 200, 600, 0.1)
    found["cycle_at_0_ms_s"] = time.monotonic() - begin
    found["cpu_us_per_poll"] = (cpu_seconds(daemon.pid) - cpu) / images * 1e6
    time.sleep(1)
    found["rss_mb"] = status_kb(daemon.pid, "VmRSS") / 1024
    scrape_cost(daemon, 10, found, ("gzip",))  # plain it has 130 MB; Prometheus asks for gzip
    found["rss_after_scrapes_mb"] = status_kb(daemon.pid, "VmRSS") / 1024
    found["rss_peak_mb"] = status_kb(daemon.pid, "VmHWM") / 1024
    daemon.stop()
    simulator.stop()


def load(args):
    """Figures, and what could not be measured: the others are worth having all the same."""
    figures, missed = {}, []
    for images in args.sizes:
        found = {}
        print(f"load: {images} images", file=sys.stderr, flush=True)
        for part in (poll_cost, quiet_cost) if images <= VAST else (outlines,):
            try:
                part(args, images, found)
            except (Failed, OSError, http.client.HTTPException) as error:
                missed.append(f"{part.__name__} of {images} images: {error!r}")
        figures.update({f"load.{images}.{name}": value for name, value in found.items()})
    return figures, missed
