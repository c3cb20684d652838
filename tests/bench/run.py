#!/usr/bin/env python3
"""./dev bench: what the daemon costs. Micro-benchmarks, instruction counts, the real daemon against the simulator.

Prints tables, and each figure's ratio to tests/bench/baseline.json. The baseline comes from another machine or another
hour, so its times are first scaled by how long a fixed piece of work takes here and took there; what is left is still
noisy: look into a ratio above 1.3, do not fear one of 1.1. Timings decide nothing. The exit code is 1 if something did not
work, grew with the cycles, or needs more instructions or allocations than counts.json says.
"""
import argparse
import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import count  # noqa: E402
import level  # noqa: E402
from harness import BIN, ROOT, Failed, workspace  # noqa: E402
from load import load  # noqa: E402

BASELINE = pathlib.Path(__file__).with_name("baseline.json")
README = ROOT / "tests" / "README.md"
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


def micro(args):
    """{name: ns of CPU}: medians of Google Benchmark's repetitions."""
    out = args.directory / "micro.json"
    subprocess.run([args.micro, f"--benchmark_min_time={0.05 if args.quick else 0.3}", "--benchmark_repetitions=3",
                    "--benchmark_report_aggregates_only=true", "--benchmark_out_format=json", f"--benchmark_out={out}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    unit = {"ns": 1, "us": 1e3, "ms": 1e6}
    return {"micro." + b["run_name"]: b["cpu_time"] * unit[b["time_unit"]]
            for b in json.loads(out.read_text())["benchmarks"] if b["aggregate_name"] == "median"}


def number(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def ratio(key, figures, baseline, scale):
    """The figure as a multiple of the baseline's, `!` where it is worth a look; empty where there is nothing to compare."""
    old = baseline.get(key)
    if not old or key not in figures:
        return ""
    pure = key.endswith(("_mb", "_to_limit", "_to_idle")) or "_per_s" in key
    times = figures[key] / (old * (1 if pure else scale))
    worse = 1 / times if "polls_per_s" in key and times > 0 else times
    return f"{times:.2f}" + ("!" if worse > RATIO_WORTH_A_LOOK else "")


def table(figures, baseline, scale):
    """Rows of the load are measures, its columns sizes; each cell is the figure and its ratio to the baseline."""
    def cells(key):
        return f"{number(figures[key])} | {ratio(key, figures, baseline, scale)}" if key in figures else " | "
    lines = []
    times = [key for key in figures if key.startswith("micro.")]
    if times:
        lines += ["", "| micro-benchmark | ns of CPU | to baseline |", "|---|---:|---:|"]
        lines += [f"| `{key[6:]}` | {cells(key)} |" for key in times]
    if "level.cycles" in figures:
        lines += ["", level_table(figures)]
    sizes = sizes_of(figures)
    if sizes:
        names = dict.fromkeys(key.split(".", 2)[2] for key in figures if key.startswith("load."))
        lines += ["", "| real daemon | " + " | ".join(f"{size:,} images | to baseline" for size in sizes) + " |",
                  "|---|" + "---:|---:|" * len(sizes)]
        lines += [f"| {name.replace('_', ' ')} | " + " | ".join(cells(f"load.{size}.{name}") for size in sizes) + " |"
                  for name in names]
    return "\n".join(lines)


def level_table(figures):
    what = {"rss": "memory, KiB", "threads": "threads", "files": "files", "sockets": "sockets"}
    return "\n".join([f"| {figures['level.cycles']:,.0f} cycles of {level.IMAGES} images | after the warm-up | at the end |",
                      "|---|---:|---:|",
                      *(f"| {label} | {figures[f'level.{name}_warm']:,.0f} | {figures[f'level.{name}_end']:,.0f} |"
                        for name, label in what.items())])


def sizes_of(figures):
    return sorted({int(key.split(".")[1]) for key in figures if key.startswith("load.")})


# What tests/README.md shows, and how it says it.
SHOWN = {
    "start_to_first_scrape_ms": "start to first scrape, ms",
    "cpu_us_per_poll": "CPU of a poll, us",
    "cycle_to_limit": "a cycle at 20 ms, as a multiple of images / 16 x 20 ms",
    "cycle_at_0_ms_s": "a cycle at 0 ms, s",
    "rss_mb": "memory, MiB",
    "rss_after_scrapes_mb": "memory after scrapes",
    "scrape_plain_mb": "the page, MB",
    "scrape_plain_p50_ms": "a scrape, ms",
    "scrape_gzip_p50_ms": "the same in gzip",
    "scrapers_40_at_once_p99_ms": "40 scrapers at once, gzip, 99th percentile, ms",
    "paced_gzip_idle_p99_ms": "one scraper, gzip, nothing is polled, 99th percentile, ms",
    "paced_gzip_polling_p99_ms": "the same while polls never pause",
    "paced_plain_idle_p99_ms": "one scraper, plain, nothing is polled, 99th percentile, ms",
    "paced_plain_polling_p99_ms": "the same while polls never pause",
    "polls_per_s_at_20_ms": "polls a second at 20 ms, 16 in flight (800 is the limit)",
    "polls_per_s_beside_40_scrapers": "the same while 40 scrapers come every second",
    "idle_cpu_ms_in_30_s": "CPU of 30 s of idleness, ms",
    "idle_wakeups_per_s": "wake-ups a second meanwhile",
}


def readme_table(figures):
    sizes = sizes_of(figures)
    lines = [f"On {machine()}, load average {os.getloadavg()[0]:.1f} at the end:", "",
             "| images | " + " | ".join(f"{size:,}" for size in sizes) + " |", "|---|" + "---:|" * len(sizes)]
    for name, label in SHOWN.items():
        keys = [f"load.{size}.{name}" for size in sizes]
        if any(key in figures for key in keys):
            lines.append(f"| {label} | " + " | ".join(number(figures[k]) if k in figures else "" for k in keys) + " |")
    if "level.cycles" in figures:
        lines += ["", level_table(figures)]
    return "\n".join(lines)


def readme_around(begin="<!-- bench: begin -->\n", end="<!-- bench: end -->"):
    """What stands before and after the table."""
    head, rest = README.read_text().split(begin)
    return head + begin, end + rest.split(end)[1]


def levelness(args):
    found, warm, end = level.measure(args.directory, args.stop_later, 300 if args.quick else 10_000)
    try:
        level.judge(warm, end)
    except Failed as miss:
        args.missed.append(f"level: {miss}")
    for what, value in vars(warm).items():
        found[f"{what}_warm"], found[f"{what}_end"] = value, getattr(end, what)
    return {f"level.{name}": value for name, value in found.items()}


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} x {model}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,50000,100000", help="fleets to load the daemon with")
    parser.add_argument("--only", choices=("micro", "count", "level", "load"))
    parser.add_argument("--quick", action="store_true", help="rough and short: 1,000 images only")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there, too")
    parser.add_argument("--record", action="store_true", help="make this run the baseline, and the table in README")
    args = parser.parse_args()
    if args.record and (args.only or args.quick):
        parser.error("--record wants a whole run")
    readme_around()  # a README without the place for the table is better found before than after
    args.sizes = [1000] if args.quick else [int(size) for size in args.sizes.split(",")]
    args.micro = BIN.parent / "tests" / "micro_bench"
    speed = calibrate()
    figures, counts, args.missed = {}, {}, []
    with workspace() as (directory, stop_later):
        args.directory, args.stop_later = directory, stop_later
        if args.only in (None, "micro"):
            figures.update(micro(args))
        if args.only == "count" or (args.only is None and platform.machine() == "x86_64"):  # counts.json is x86-64's
            counts = count.count(BIN.parent / "tests" / "count_bench")
        if args.only in (None, "load"):
            found, missed = load(args)
            figures.update(found)
            args.missed += missed
        if args.only in (None, "level"):
            figures.update(levelness(args))
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"calibration_s": speed, "figures": {}}
    scale = speed / baseline["calibration_s"]
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {scale:.2f} times as slow as where the baseline was made")
    print(table(figures, baseline["figures"], scale))
    if counts:
        print()
        if not count.report(counts):
            args.missed.append("count: worse than written down")
    result = {"machine": machine(), "calibration_s": speed, "figures": {k: float(f"{v:.4g}") for k, v in figures.items()}}
    for path in [args.json] if args.json else []:
        path.write_text(json.dumps(result, indent=1) + "\n")
    if args.record:
        BASELINE.write_text(json.dumps(result, indent=1) + "\n")
        before, after = readme_around()  # as it is now: a recording takes minutes in which it may be edited
        README.write_text(f"{before}{readme_table(figures)}\n{after}")
    if args.missed:
        sys.exit("\n".join(args.missed))


if __name__ == "__main__":
    main()
