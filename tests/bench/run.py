#!/usr/bin/env python3
"""./dev bench: what the daemon costs. Micro-benchmarks, instruction counts, the real daemon against the simulator.

Prints tables, and each figure's ratio to tests/bench/baseline.json. The baseline comes from another machine or another
hour, so its times are first scaled by how long a fixed piece of work takes here and took there; what is left is still
noisy: look into a ratio above 1.3, do not fear one of 1.1. Timings decide nothing: the exit code is 0 unless something
did not work.
"""
import argparse
import concurrent.futures
import hashlib
import http.client
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import count  # noqa: E402
from harness import BIN, Daemon, Failed, Simulator, wait_for, workspace  # noqa: E402

BASELINE = pathlib.Path(__file__).with_name("baseline.json")
ACCOUNTS = 3        # that each image is shared with
CONCURRENCY = 16
LATENCY_MS = 20     # of the simulator, where a cycle's wall time is measured
RATIO_WORTH_A_LOOK = 1.3


def calibrate():
    """Seconds of CPU for a fixed piece of work: hashing and an interpreter's loop. The best of five."""
    def once():
        begin = time.process_time()
        for _ in range(40):
            hashlib.sha256(b"x" * 500_000).digest()
        sum(i * i for i in range(400_000))
        return time.process_time() - begin
    return min(once() for _ in range(5))


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


def micro(args):
    """{name: ns of CPU}: medians of Google Benchmark's repetitions."""
    out = args.directory / "micro.json"
    subprocess.run([args.micro, f"--benchmark_min_time={0.05 if args.quick else 0.3}", "--benchmark_repetitions=3",
                    "--benchmark_report_aggregates_only=true", "--benchmark_out_format=json", f"--benchmark_out={out}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    unit = {"ns": 1, "us": 1e3, "ms": 1e6}
    return {"micro." + b["run_name"]: b["cpu_time"] * unit[b["time_unit"]]
            for b in json.loads(out.read_text())["benchmarks"] if b["aggregate_name"] == "median"}


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
    """CPU of a poll in cycles without pause, and what scrapes take meanwhile."""
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
    found["polls_per_second"] = polls / (time.monotonic() - begin)
    scraper = Scraper(daemon.port, gzip=False)
    times = [scraper.scrape()[0] for _ in range(20 if images < 50_000 else 8)]
    found["scrape_while_polling_p50_ms"] = statistics.median(times)
    daemon.stop()
    simulator.stop()


def quiet_cost(args, images, found):
    """One cycle at a known latency, then nothing but scrapes, then nothing at all."""
    simulator = args.stop_later(Simulator(args.directory, f"--images={images}", f"--accounts={ACCOUNTS}",
                                          f"--latency-ms={LATENCY_MS}", name=f"sim-{images}"))
    daemon, _ = start(args, simulator, images, "1h", f"quiet-{images}")
    begin = time.monotonic()  # the first poll leaves as the first scrape is answered
    wait_for("a whole cycle", lambda: daemon.http("/-/ready")[0] == 200, 300, 0.02)
    found["cycle_s"] = time.monotonic() - begin
    found["cycle_to_limit"] = found["cycle_s"] / (images / CONCURRENCY * LATENCY_MS / 1e3)
    time.sleep(1)
    found["rss_mb"] = status_kb(daemon.pid, "VmRSS") / 1024
    for coding in ("plain", "gzip"):
        scraper = Scraper(daemon.port, coding == "gzip")
        first, size = scraper.scrape()
        cpu = cpu_seconds(daemon.pid)
        times = [scraper.scrape()[0] for _ in range(100 if images < 50_000 else 30)]
        found[f"scrape_{coding}_first_ms"] = first
        found[f"scrape_{coding}_p50_ms"] = statistics.median(times)
        found[f"scrape_{coding}_p99_ms"] = percentile(times, 0.99)
        found[f"scrape_{coding}_cpu_ms"] = (cpu_seconds(daemon.pid) - cpu) / len(times) * 1e3
        found[f"scrape_{coding}_mb"] = size / 1e6
    time.sleep(2)
    # The first half minute's attempt counters are written in here.
    cpu, woken, seconds = cpu_seconds(daemon.pid), wakeups(daemon.pid), 5 if args.quick else 30
    time.sleep(seconds)
    found["idle_cpu_ms_in_30_s"] = (cpu_seconds(daemon.pid) - cpu) * 1e3 * 30 / seconds
    found["idle_wakeups_per_s"] = sum(n - woken.get(thread, 0) for thread, n in wakeups(daemon.pid).items()) / seconds
    found["scrapers_40_p99_ms"] = crowd(daemon.port)
    found["rss_after_scrapes_mb"] = status_kb(daemon.pid, "VmRSS") / 1024
    found["rss_peak_mb"] = status_kb(daemon.pid, "VmHWM") / 1024
    daemon.stop()
    simulator.stop()


def crowd(port, scrapers=40, rounds=3):
    def several(_):
        scraper = Scraper(port, gzip=True)
        return [scraper.scrape()[0] for _ in range(rounds)]
    with concurrent.futures.ThreadPoolExecutor(scrapers) as pool:
        return percentile([ms for times in pool.map(several, range(scrapers)) for ms in times], 0.99)


def load(args):
    figures = {}
    for images in args.sizes:
        found = {}
        print(f"load: {images} images", file=sys.stderr, flush=True)
        poll_cost(args, images, found)
        quiet_cost(args, images, found)
        figures.update({f"load.{images}.{name}": value for name, value in found.items()})
    return figures


def number(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def table(figures, baseline, scale):
    """Rows of the load are measures, its columns sizes; each cell is the figure and its ratio to the baseline."""
    def ratio(key):
        old = (baseline or {}).get("figures", {}).get(key)
        if not old or key not in figures:
            return ""
        factor = 1 if key.endswith(("_mb", "_to_limit", "_per_s")) else scale
        times = figures[key] / (old * factor)
        return f"{times:.2f}" + ("!" if times > RATIO_WORTH_A_LOOK else "")
    lines = ["| micro-benchmark | ns of CPU | to baseline |", "|---|---:|---:|"]
    lines += [f"| `{key[6:]}` | {number(value)} | {ratio(key)} |" for key, value in figures.items()
              if key.startswith("micro.")]
    sizes = sorted({int(key.split(".")[1]) for key in figures if key.startswith("load.")})
    names = dict.fromkeys(key.split(".", 2)[2] for key in figures if key.startswith("load."))
    if sizes:
        lines += ["", "| real daemon | " + " | ".join(f"{size:,} images | to baseline" for size in sizes) + " |",
                  "|---|" + "---:|---:|" * len(sizes)]
    for name in names:
        keys = [f"load.{size}.{name}" for size in sizes]
        lines.append(f"| {name.replace('_', ' ')} | " +
                     " | ".join(f"{number(figures[k])} | {ratio(k)}" for k in keys if k in figures) + " |")
    return "\n".join(lines)


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} x {model}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,50000", help="fleets to load the daemon with")
    parser.add_argument("--only", choices=("micro", "count", "load"))
    parser.add_argument("--quick", action="store_true", help="rough and short: 1,000 images only")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there, too")
    parser.add_argument("--update-baseline", action="store_true")
    args = parser.parse_args()
    args.sizes = [1000] if args.quick else [int(size) for size in args.sizes.split(",")]
    args.micro = BIN.parent / "tests" / "micro_bench"
    speed = calibrate()
    figures = {}
    with workspace() as (directory, stop_later):
        args.directory, args.stop_later = directory, stop_later
        if args.only in (None, "micro"):
            figures.update(micro(args))
        counts = count.count(BIN.parent / "tests" / "count_bench") if args.only in (None, "count") else {}
        if args.only in (None, "load"):
            figures.update(load(args))
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else None
    scale = speed / baseline["calibration_s"] if baseline else 1
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {scale:.2f} times as slow as where the baseline was made\n")
    print(table(figures, baseline, scale))
    if counts:
        print("\n" + count.table(counts, json.loads(count.COUNTS.read_text())))
    result = {"machine": machine(), "calibration_s": speed, "figures": {k: float(f"{v:.4g}") for k, v in figures.items()}}
    for path in [args.json] if args.json else []:
        path.write_text(json.dumps(result, indent=1) + "\n")
    if args.update_baseline:
        BASELINE.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
