#!/usr/bin/env python3
"""A thousand images, sixteen requests in flight, no rate limit: each is read once a cycle, and no change is lost.

SHAREDRIFT_BIN_DIR names the programs. The model of what is shared is this script's own; the gauges must end equal to it.
"""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from harness import Daemon, Failed, Simulator, wait_for, workspace  # noqa: E402

IMAGES, CONCURRENCY, LATENCY_MS = 1000, 16, 20
PARTNER, STRANGER = "1234567890123456", "1666666666666666"
IDS = [f"m-sim-{number}" for number in range(1, IMAGES + 1)]
SEED = 20261124


def config(simulator):
    images = "\n".join(f'  - {{id: {image}, allowed: ["{PARTNER}"]}}' for image in IDS)
    return f"""profiles:
  default:
    endpoint: {simulator.url}
    credentials: {{source: environment}}
    requests_per_second: 0
    concurrency: {CONCURRENCY}
poll: {{interval: 10s}}
images:
{images}
"""


def by_image(daemon, name, **labels):
    wanted = set(labels.items())
    return {dict(pairs)["image_id"]: value for (n, pairs), value in daemon.metrics().items() if n == name and wanted <= pairs}


def first_cycle(daemon):
    """Every image is read before any is read twice."""
    def whole():
        listings = by_image(daemon, "share_drift_listings_total")
        unread = sum(count == 0 for count in listings.values())
        if unread > 0 and max(listings.values()) > 1:
            raise RuntimeError(f"an image was read twice while {unread} were not read at all")
        return len(listings) == IMAGES and unread == 0
    wait_for("each of a thousand images to be read", whole, every=0.2)
    incomplete = [image for image, value in by_image(daemon, "share_drift_listing_complete").items() if value != 1]
    if incomplete:
        raise Failed(f"not complete: {incomplete[:5]}")


def churn(simulator, leaking, rounds=3, each=120):
    draw = random.Random(SEED)
    for _ in range(rounds):
        for image in draw.sample(IDS, each):
            leaks = image in leaking
            simulator.control("unshare" if leaks else "share", image=image, accounts=[STRANGER])
            leaking.symmetric_difference_update({image})


def agreement(daemon, leaking):
    def agrees():
        gauges = by_image(daemon, "share_drift_unexpected_accounts")
        wrong = {image: gauges.get(image) for image in IDS if gauges.get(image) != float(image in leaking)}
        if wrong:
            raise Failed(f"{len(wrong)} gauges differ from the truth, such as {list(wrong.items())[:3]}")
        return True
    wait_for("every gauge to agree", agrees, every=0.5)
    opened = sum(by_image(daemon, "share_drift_opened_total", kind="unexpected").values())
    closed = sum(by_image(daemon, "share_drift_closed_total", kind="unexpected").values())
    if opened - closed != len(leaking):
        raise Failed(f"{opened:g} opened and {closed:g} closed, but {len(leaking)} are open")
    told = (len(daemon.events("drift_opened")), len(daemon.events("drift_closed")))
    if told != (opened, closed):
        raise Failed(f"counted {opened:g} and {closed:g}, told {told}")
    return opened, closed


def main():
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, f"--images={IMAGES}", f"--latency-ms={LATENCY_MS}"))
        for image in IDS:
            simulator.control("share", image=image, accounts=[PARTNER])
        leaking = set(IDS[::10])
        for image in leaking:
            simulator.control("share", image=image, accounts=[STRANGER])
        daemon = own(Daemon(directory, config(simulator)))
        first_cycle(daemon)
        print(f"ok   {IMAGES} images read once each, {CONCURRENCY} at a time")
        churn(simulator, leaking)
        opened, closed = agreement(daemon, leaking)
        print(f"ok   no change lost: {opened:g} drifts opened, {closed:g} closed, {len(leaking)} open, as in the model")
        if daemon.stop() != 0:
            raise Failed("the daemon did not end well")


if __name__ == "__main__":
    try:
        main()
    except (Failed, RuntimeError) as error:
        sys.exit(str(error))
