"""The table of scenes: a configuration, a world in the simulator, and what is true in it, written by hand.

A scene is one entry of SCENES. `shares` is with whom each image is shared when watching begins; `then` changes the world after the
first state was seen; `truth` is what every surface must say in the end, `now` what one fresh poll says where that differs.
"""
import dataclasses
import hashlib

from harness import wait_for

PARTNER, LAB, STRANGER, OTHER = "2222222222222222", "3333333333333333", "4444444444444444", "5555555555555555"


@dataclasses.dataclass(frozen=True)
class Is:
    """What is true of an image."""
    verdict: str
    unexpected: tuple = ()
    missing: tuple = ()
    state: str = "ok"
    canary: bool = False
    known: bool = True  # False: never listed, or too long ago, so that no gauge may claim a 0
    watched: bool = True  # False: no more; what was open then is not known to have ended


@dataclasses.dataclass(frozen=True)
class Scene:
    name: str
    images: str
    truth: dict
    shares: dict
    now: dict = dataclasses.field(default_factory=dict)
    start: object = None  # of the simulator: before the daemon starts
    then: object = None  # of the simulator and the daemon
    restarts: bool = False  # the daemon, in the end
    poll: str = "interval: 1s, spread: none, stale_after: 1h"
    headline: str = ""
    config: str = ""  # further sections
    key: str = ""  # the commands' own, where the daemon's strikes a fault
    daemon_key: str = ""  # of a world in which another one is right
    beside: object = None  # another scene, played by another exporter in the same world at the same time

    def fresh(self):
        return {image: is_ for image, is_ in {**self.truth, **self.now}.items() if is_.watched}


def images(*entries):
    return "".join(f"  - {{{entry}}}\n" for entry in entries)


IN_SYNC, LEAK = Is("in_sync"), Is("unexpected", (STRANGER,))
FORTY = [f"m-{n:02}" for n in range(1, 41)]
CROWD = [f"m-sim-{n}" for n in range(1, 1001)]
HERD = [f"m-{n:02}" for n in range(1, 13)]
STRANGERS = tuple(str(1715107400000000 + n) for n in range(1, 21))
EVIL = ["<img src=x onerror=alert(1)>", "</td></tr></table><script>alert(1)</script>", "'; alert(1); '", "a \\\" quote", "שלום 123", "名字" * 20]


def fail(**fault):
    return lambda simulator, *_: simulator.control("faults", **fault)


def refuse_reload(_simulator, daemon):
    good = daemon.config.read_text()
    daemon.write_config(good + "nonsense: true\n")
    daemon.send(1)
    daemon.wait_event("config_rejected")
    daemon.write_config(good)  # for the commands


def reload(daemon, config):
    daemon.write_config(config)
    daemon.send(1)
    wait_for("another configuration", lambda: daemon.value("share_drift_config_info", sha256=hashlib.sha256(config.encode()).hexdigest()))


def leave(_simulator, daemon):
    """m-1 is taken out of the configuration while its drift is open."""
    config = daemon.config.read_text()
    reload(daemon, "".join(line for line in config.splitlines(keepends=True) if "id: m-1," not in line))
    return config


def leave_and_come_back_blind(simulator, daemon):
    """Nobody can see whether the drift of m-1 ended while nobody watched it."""
    config = leave(simulator, daemon)
    simulator.control("faults", kind="throttle", key=simulator.KEY)
    reload(daemon, config)
    wait_for("the API to refuse", lambda: daemon.state("m-1") == "unreachable" and daemon.state("m-2") == "unreachable")
    simulator.control("keys", id="other", secret="fake")


def ignore(_simulator, daemon):
    """m-1 was discovered, and is ignored from now on."""
    reload(daemon, daemon.config.read_text() + 'ignore: [{id: m-1, owner: jane, reason: "a demo"}]\n')


def closing(simulator, daemon):
    """One listing lacks the account; more are needed, and there are none."""
    simulator.control("unshare", image="m-1", accounts=[STRANGER])
    daemon.wait_event("drift_clearing")
    simulator.control("faults", kind="throttle", key=simulator.KEY)
    daemon.wait_event("listing_failed")
    simulator.control("keys", id="other", secret="fake")


def held(simulator, daemon):
    """All images lose the stranger in one cycle; more listings are needed, and there are none."""
    for image in HERD:
        simulator.control("unshare", image=image, accounts=[STRANGER])
    daemon.wait_event("mass_change_held")
    simulator.control("faults", kind="throttle", key=simulator.KEY)
    wait_for("the API to refuse all", lambda: {daemon.state(image) for image in HERD} == {"unreachable"})
    simulator.control("keys", id="other", secret="fake")


def stale(simulator, daemon):
    for image in ("m-1", "m-2"):
        simulator.control("faults", kind="throttle", image=image)
    wait_for("the 0 to be withdrawn", lambda: daemon.value("share_drift_unexpected_accounts", image_id="m-2") is None)


SCENES = [
    Scene("all in sync", images(*(f'id: {i}, allowed: ["{PARTNER}"]' for i in FORTY)), {i: IN_SYNC for i in FORTY},
          {i: [PARTNER] for i in FORTY}, headline="All 40 images are in sync"),
    Scene("one leak", images(f'id: m-1, name: edge-base, team: edge-os, severity: page, allowed: ["{PARTNER}"]', "id: m-2, allowed: []"),
          {"m-1": LEAK, "m-2": Is("in_sync", state="empty")}, {"m-1": [PARTNER, STRANGER], "m-2": []},
          headline="1 image is shared with unexpected accounts"),
    Scene("leak and missing on one image", images(f'id: m-1, required: ["{PARTNER}"], allowed: []', f'id: m-2, allowed: ["{PARTNER}"]'),
          {"m-1": Is("unexpected", (STRANGER,), (PARTNER,)), "m-2": IN_SYNC}, {"m-1": [STRANGER], "m-2": [PARTNER]},
          headline="1 image is shared with unexpected accounts"),
    Scene("missing only", images(f'id: m-1, required: ["{PARTNER}", "{LAB}"], allowed: []'), {"m-1": Is("missing", (), (LAB,))},
          {"m-1": [PARTNER]}, headline="1 image has missing accounts"),
    Scene("one unknown", images("id: m-1, allowed: []", f'id: m-2, allowed: ["{PARTNER}"]'),
          {"m-1": Is("unknown", state="unreachable", known=False), "m-2": IN_SYNC}, {"m-1": [], "m-2": [PARTNER]},
          start=fail(kind="server_error", image="m-1"), headline="1 image cannot be judged"),
    Scene("empty and ours", images("id: m-1, allowed: []"), {"m-1": Is("in_sync", state="empty")}, {"m-1": []},
          headline="The image is in sync"),
    Scene("forbidden", images("id: m-1, allowed: []", "id: m-2, allowed: []"),
          {i: Is("unknown", state="forbidden", known=False) for i in ("m-1", "m-2")}, {"m-1": [STRANGER], "m-2": []},
          start=lambda simulator: simulator.control("keys/rights", id=simulator.KEY, rights=[], denied_with="NoPermission"),
          headline="No image can be judged"),
    Scene("API down for all", images("id: m-1, allowed: []", f'id: m-2, allowed: ["{PARTNER}"]', "id: m-3, allowed: []"),
          {"m-1": Is("unexpected", (STRANGER,), state="unreachable"), "m-2": Is("unknown", state="unreachable"),
           "m-3": Is("unknown", state="unreachable")}, {"m-1": [STRANGER], "m-2": [PARTNER], "m-3": []},
          now={i: Is("unknown", state="unreachable", known=False) for i in ("m-1", "m-2", "m-3")}, then=fail(kind="server_error"),
          headline="1 image is shared with unexpected accounts"),
    Scene("half of them blind", images(*(f'id: m-{n}, allowed: ["{PARTNER}"]' for n in range(1, 5))),
          {"m-1": Is("unknown", state="unreachable"), "m-2": Is("unknown", state="unreachable"), "m-3": IN_SYNC, "m-4": IN_SYNC},
          {f"m-{n}": [PARTNER] for n in range(1, 5)},
          now={i: Is("unknown", state="unreachable", known=False) for i in ("m-1", "m-2")},
          then=lambda simulator, _: [simulator.control("faults", kind="throttle", image=i) for i in ("m-1", "m-2")],
          headline="2 images cannot be judged"),
    Scene("exception running, ended", """\
  - id: m-1
    allowed: []
    exceptions:
      - {account: "%s", expires: 2099-12-31, owner: jane, ticket: SEC-12, reason: pilot}
      - {account: "%s", expires: 2020-01-01, owner: jane, ticket: SEC-9, reason: over}
""" % (LAB, STRANGER), {"m-1": LEAK}, {"m-1": [LAB, STRANGER]}, headline="1 image is shared with unexpected accounts"),
    Scene("canary that sings", images("id: m-canary, allowed: [], canary: true", "id: m-1, allowed: []"),
          {"m-canary": Is("in_sync", (STRANGER,), canary=True), "m-1": Is("in_sync", state="empty")},
          {"m-canary": [STRANGER], "m-1": []}, headline="All 2 images are in sync"),
    Scene("canary that does not", images(f'id: m-canary, allowed: ["{PARTNER}"], canary: true'), {"m-canary": Is("unknown", canary=True)},
          {"m-canary": [PARTNER]}, headline="No image can be judged"),
    Scene("drift closing", images(f'id: m-1, allowed: ["{PARTNER}"]'), {"m-1": Is("unexpected", (STRANGER,), state="unreachable")},
          {"m-1": [PARTNER, STRANGER]}, now={"m-1": IN_SYNC}, poll="interval: 1s, spread: none, stale_after: 1h, confirm_clears: 10", then=closing, key="other",
          headline="1 image is shared with unexpected accounts"),
    Scene("held by the guard", images(*(f"id: {i}, allowed: []" for i in HERD)),
          {i: Is("unexpected", (STRANGER,), state="unreachable") for i in HERD}, {i: [STRANGER] for i in HERD},
          now={i: Is("in_sync", state="empty") for i in HERD}, poll="interval: 1s, spread: none, stale_after: 1h, confirm_clears: 10",
          then=held, key="other", headline="12 images are shared with unexpected accounts"),
    Scene("half of them stale", images("id: m-1, allowed: []", f'id: m-2, allowed: ["{PARTNER}"]', f'id: m-3, allowed: ["{PARTNER}"]'),
          {"m-1": Is("unexpected", (STRANGER,), state="unreachable", known=False),
           "m-2": Is("unknown", state="unreachable", known=False), "m-3": IN_SYNC},
          {"m-1": [STRANGER], "m-2": [PARTNER], "m-3": [PARTNER]},
          now={i: Is("unknown", state="unreachable", known=False) for i in ("m-1", "m-2")},
          poll="interval: 1s, spread: none, stale_after: 3s",
          then=stale, headline="1 image is shared with unexpected accounts"),
    Scene("two exporters side by side", images('id: m-1, team: edge-os, severity: page, allowed: []', f'id: m-3, allowed: ["{PARTNER}"]'),
          {"m-1": LEAK, "m-3": IN_SYNC}, {"m-1": [STRANGER], "m-2": [], "m-3": [PARTNER]},
          headline="1 image is shared with unexpected accounts",
          beside=Scene("the other of two exporters", images(f'id: m-1, team: media, allowed: ["{STRANGER}"]',
                                                            f'id: m-2, team: media, required: ["{LAB}"], allowed: []'),
                       {"m-1": IN_SYNC, "m-2": Is("missing", (), (LAB,), state="empty")}, {}, headline="1 image has missing accounts")),
    Scene("two teams", images(f"id: m-1, team: edge-os, severity: page, allowed: []", f'id: m-2, team: media, required: ["{LAB}"], allowed: []'),
          {"m-1": LEAK, "m-2": Is("missing", (), (LAB,), state="empty")}, {"m-1": [STRANGER], "m-2": []},
          headline="1 image is shared with unexpected accounts"),
    Scene("hostile names", images(*(f'id: m-{n}, name: "{evil}", team: "{evil}", severity: "{evil}", allowed: []' for n, evil in enumerate(EVIL))),
          {f"m-{n}": LEAK for n in range(len(EVIL))}, {f"m-{n}": [STRANGER] for n in range(len(EVIL))},
          config='accounts:\n  "%s": {name: "<b onclick=alert(1)>former</b>"}\n' % STRANGER,
          headline="6 images are shared with unexpected accounts"),
    Scene("reload refused", images("id: m-1, allowed: []"), {"m-1": LEAK}, {"m-1": [STRANGER]}, then=refuse_reload,
          headline="1 image is shared with unexpected accounts"),
    Scene("id mistyped", images('id: m-mistyped, allowed: []', f'id: m-1, allowed: ["{PARTNER}"]'),
          {"m-mistyped": Is("unknown", state="gone", known=False), "m-1": IN_SYNC}, {"m-1": [PARTNER]}, headline="1 image cannot be judged"),
    Scene("image deleted", images(f'id: m-1, allowed: ["{PARTNER}"]', f'id: m-2, allowed: ["{PARTNER}"]'),
          {"m-1": Is("unknown", state="gone"), "m-2": IN_SYNC}, {"m-1": [PARTNER], "m-2": [PARTNER]},
          now={"m-1": Is("unknown", state="gone", known=False)}, then=lambda simulator, _: simulator.control("images/delete", id="m-1"),
          headline="1 image cannot be judged"),
    Scene("another account's key", images("id: m-1, allowed: []", "id: m-2, allowed: []"),
          {i: Is("unknown", state="gone", known=False) for i in ("m-1", "m-2")}, {"m-1": [STRANGER], "m-2": []},
          start=lambda simulator: simulator.control("keys", id="foreign", secret="fake", account="7777777777777777"),
          key="foreign", daemon_key="foreign", headline="No image can be judged"),
    Scene("another region's endpoint", images("id: m-1, allowed: []", f'id: m-2, allowed: ["{PARTNER}"]'),
          {i: Is("unknown", state="gone", known=False) for i in ("m-1", "m-2")}, {}, headline="No image can be judged"),
    Scene("discovered image leaking", images(f'id: m-1, allowed: ["{PARTNER}"]'), {"m-1": IN_SYNC, "m-2": LEAK},
          {"m-1": [PARTNER], "m-2": [STRANGER]}, config="discover: [{allowed: []}]\n",
          headline="1 image is shared with unexpected accounts"),
    Scene("unwatched images", images(f'id: m-1, allowed: ["{PARTNER}"]'), {"m-1": IN_SYNC}, {"m-1": [PARTNER], "m-2": [STRANGER]},
          headline="The image is in sync"),
    Scene("an image left the watch", images(f'id: m-1, name: edge-base, team: edge-os, severity: page, allowed: ["{PARTNER}"]', "id: m-2, allowed: []"),
          {"m-1": dataclasses.replace(LEAK, watched=False), "m-2": Is("in_sync", state="empty")}, {"m-1": [PARTNER, STRANGER], "m-2": []},
          then=leave, headline="1 image is shared with unexpected accounts"),
    Scene("it left, and a restart", images(f'id: m-1, required: ["{PARTNER}", "{LAB}"], allowed: []', "id: m-2, allowed: []"),
          {"m-1": Is("unexpected", (STRANGER,), (LAB,), watched=False), "m-2": Is("in_sync", state="empty")},
          {"m-1": [PARTNER, STRANGER], "m-2": []}, then=leave, restarts=True,
          poll="interval: 1s, spread: none, stale_after: 1h, confirm_clears: 1", headline="1 image is shared with unexpected accounts"),
    Scene("it left and came back, and nobody can see", images("id: m-1, allowed: []", "id: m-2, allowed: []"),
          {"m-1": Is("unexpected", (STRANGER,), state="unreachable"), "m-2": Is("unknown", state="unreachable")},
          {"m-1": [STRANGER], "m-2": []}, now={"m-1": LEAK, "m-2": Is("in_sync", state="empty")}, then=leave_and_come_back_blind, key="other",
          headline="1 image is shared with unexpected accounts"),
    Scene("ignored while it leaks", images("id: m-2, allowed: []"),
          {"m-1": dataclasses.replace(LEAK, watched=False), "m-2": Is("in_sync", state="empty")}, {"m-1": [STRANGER], "m-2": []},
          config="discover: [{allowed: []}]\n", then=ignore, headline="1 image is shared with unexpected accounts"),
    Scene("names that are ids", images("id: m-1, name: m-1, allowed: []"), {"m-1": LEAK, "m-2": LEAK}, {"m-1": [STRANGER], "m-2": [STRANGER]},
          config='accounts: {"%s": {name: "%s"}}\ndiscover: [{allowed: []}]\n' % (STRANGER, STRANGER),
          start=lambda simulator: simulator.control("images/rename", id="m-2", name="m-2"),
          headline="2 images are shared with unexpected accounts"),
    Scene("1,000 images with 20 strangers each", images(*(f"id: {i}, allowed: []" for i in CROWD)),
          {i: Is("unexpected", STRANGERS) for i in CROWD}, {}, poll="interval: 10s, spread: none",
          start=lambda simulator: simulator.control("scenario", fleet={"images": 1000, "accounts": 20}),
          headline="1000 images are shared with unexpected accounts"),
]
