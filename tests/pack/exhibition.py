"""A story that fills the dashboards, for the pictures that the README shows; check_story.py --pictures plays it."""
import time

from render_dashboard import render

PARTNER, SECOND, LAB, STRANGER, UNKNOWN, ODD = (digit * 16 for digit in "253479")
SHARES = {
    "m-5s7edgebase": [PARTNER, SECOND], "m-5s7edgegpu": [PARTNER, LAB], "m-5s7cdnnode": [PARTNER, SECOND],
    "m-5s7transcode": [PARTNER], "m-5s7iotgateway": [SECOND], "m-5s7gameserver": [PARTNER, SECOND, LAB], "m-5s7inference": [LAB],
    "m-5s7canary": [ODD],
}
IMAGES = f"""\
  - {{id: m-5s7edgebase, name: edge-base, team: edge-os, severity: page, required: ["{PARTNER}"], allowed: ["{SECOND}"]}}
  - id: m-5s7edgegpu
    name: edge-gpu
    team: gpu
    severity: page
    allowed: ["{PARTNER}"]
    exceptions:
      - {{account: "{LAB}", expires: {time.strftime("%Y-%m-%d", time.gmtime(time.time() + 40 * 86400))}, owner: jane, ticket: SEC-12, reason: pilot}}
  - {{id: m-5s7cdnnode, name: cdn-node, team: delivery, severity: page, required: ["{PARTNER}", "{SECOND}"], allowed: []}}
  - {{id: m-5s7transcode, name: transcode, team: delivery, severity: ticket, allowed: ["{PARTNER}", "{SECOND}"]}}
  - {{id: m-5s7iotgateway, name: iot-gateway, team: edge-os, severity: page, required: ["{SECOND}"], allowed: []}}
  - id: m-5s7gameserver
    name: game-server
    team: games
    severity: ticket
    allowed: ["{PARTNER}", "{SECOND}"]
    exceptions:
      - {{account: "{LAB}", expires: {time.strftime("%Y-%m-%d", time.gmtime(time.time() + 4 * 86400))}, owner: li, ticket: GAME-7, reason: load test}}
  - {{id: m-5s7inference, name: inference, team: gpu, severity: page, allowed: ["{LAB}"]}}
  - {{id: m-5s7canary, name: canary, team: security, allowed: [], canary: true}}
"""


def play(stage, folder):
    """Three minutes of trouble of every kind, some of it over, some still there when the pictures are taken."""
    control, began = stage.simulator.control, time.monotonic()

    def at(second):
        time.sleep(max(0.0, began + second - time.monotonic()))
    control("faults", kind="latency", ms=15, jitter_ms=25)
    at(35)
    control("share", image="m-5s7iotgateway", accounts=[UNKNOWN])
    at(60)
    control("share", image="m-5s7edgebase", accounts=[STRANGER])
    at(75)
    control("unshare", image="m-5s7iotgateway", accounts=[UNKNOWN])
    at(95)
    stage.reload("# reviewed\n")
    control("faults", kind="server_error", image="m-5s7edgebase", count=24)
    at(120)
    control("unshare", image="m-5s7cdnnode", accounts=[SECOND])
    at(140)
    control("faults", kind="throttle", image="m-5s7inference")
    at(155)
    control("share", image="m-5s7edgegpu", accounts=[UNKNOWN])
    at(180)
    folder.mkdir(parents=True, exist_ok=True)
    for uid in ("share-drift-overview", "share-drift-image", "share-drift-exporter"):
        render(stage.prometheus.url, uid, folder / f"{uid.removeprefix('share-drift-')}.png", "m-5s7edgebase", 3.0)
        print(f"{uid} drawn", flush=True)
