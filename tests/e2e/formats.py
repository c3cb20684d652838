#!/usr/bin/env python3
"""A real Prometheus reads both formats and stores the same: formats.py

It asks for OpenMetrics by itself; for the older text format its question is rewritten on the way. SHAREDRIFT_BIN_DIR names the
programs.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from harness import Daemon, Failed, Handler, Prometheus, Simulator, WebServer, fetch, wait_for, workspace  # noqa: E402

TEXT, OPEN_METRICS = "text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"


class Relay(WebServer):
    """Hands scrapes on, with an Accept of its own if it has one, and remembers what kinds of pages came back."""

    def __init__(self, target, accept=None):
        self.kinds = kinds = set()

        class Forward(Handler):
            def do_GET(self):
                status, headers, body = fetch(target + self.path, headers={"Accept": accept or self.headers["Accept"]})
                kinds.add(headers["Content-Type"].partition("; charset")[0])
                self.answer(status, body, headers["Content-Type"])
        super().__init__(Forward)


def stored(prometheus, job):
    """{series without job and instance: value} of what says something about images."""
    series = prometheus.query(f'{{__name__=~"share_drift_.+", image_id!="", job="{job}"}}')
    return {frozenset((k, v) for k, v in labels.items() if k not in ("job", "instance")): value for labels, value in series}


def main():
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=5", "--accounts=3"))
        images = "".join(f"  - {{id: m-sim-{n}, allowed: []}}\n" for n in range(1, 6))
        # An hour: nothing changes between two scrapes.
        daemon = own(Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}, requests_per_second: 0}}}}\n"
                            f"poll: {{interval: 1h, spread: none}}\nimages:\n{images}"))
        wait_for("every image to be read", lambda: daemon.value("share_drift_listing_duration_seconds_count") == 5)
        relays = {"openmetrics": own(Relay(daemon.url)), "text": own(Relay(daemon.url, "text/plain;version=0.0.4"))}
        jobs = "".join(f"  - {{job_name: {job}, static_configs: [{{targets: ['{relay.address}']}}]}}\n" for job, relay in relays.items())
        prometheus = own(Prometheus(directory, f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}"))
        prometheus.wait_query("up == 1", lambda values: len(values) == 2)
        both = wait_for("the same from both", lambda: (a := stored(prometheus, "openmetrics")) and a == stored(prometheus, "text") and a)
        kinds = {job: relay.kinds for job, relay in relays.items()}
        if kinds != {"openmetrics": {OPEN_METRICS}, "text": {TEXT}}:
            raise Failed(f"the pages were {kinds}")
        print(f"ok   {len(both)} series, the same from {OPEN_METRICS} and {TEXT}")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
