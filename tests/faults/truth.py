#!/usr/bin/env python3
"""What the daemon knows, end to end: truth.py

The state database set wrong in every way, the guards (mass change, canary, owner, gone or empty), and the timeline of what is
said while nobody can see. Prints the same table as the fault matrix.
"""
import contextlib
import pathlib
import re
import signal
import sqlite3
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402
from rows import CLEAN, DRIFT, FRIEND, STRANGER, Table, config, place, proven  # noqa: E402

FLEET = [f"m-fleet-{n:02}" for n in range(10)]


def check(holds, what):
    if not holds:
        raise Failed(what)


@contextlib.contextmanager
def running(own, text, *flags, **options):
    """A daemon that must stop cleanly, whatever happened to it."""
    daemon = Daemon(own, text, *flags, **options)
    try:
        yield daemon
    finally:
        if daemon.running():
            check(daemon.stop() == 0, f"ended with {daemon.process.returncode}")


def unexpected(daemon, image):
    return daemon.value("share_drift_unexpected_accounts", image_id=image)


# The state database

def set_wrong(spoil, reason):
    """One life, then `spoil(path)`, then another."""
    def act(own, simulator):
        state = own / "daemon.db"
        with running(own, config(simulator.url)) as daemon:
            wait_for("the truth", lambda: proven(daemon))
            check(daemon.value("share_drift_state_ok") == 1, "state_ok is not 1 while it is sound")
        spoil(state)
        with running(own, config(simulator.url)) as daemon:
            wait_for("the truth", lambda: proven(daemon))
            check(daemon.value("share_drift_state_ok") == 0, "state_ok is not 0")
            said = daemon.events("state_rejected")
            check(said and reason in said[-1]["reason"], f"said {said}")
            check(said[-1]["level"] == "error", "not said loudly")
            wait_for("a new database", lambda: (daemon.value("share_drift_state_last_write_timestamp_seconds") or 0) > 0)
        with running(own, config(simulator.url)) as daemon:
            check(daemon.value("share_drift_state_ok") == 1, "state_ok is not 1 after the next sound start")
        return f"said, {reason.split(':')[0]}; sound at the next start"
    return act


def tear(path):
    whole = bytearray(path.read_bytes())
    whole[4096::7] = b"x" * len(whole[4096::7])
    path.write_bytes(whole)


def foreign(path):
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs(x)")


def future(path):
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version=99")


def taken_away(own, simulator):
    with running(own, config(simulator.url)) as daemon:
        wait_for("the truth", lambda: proven(daemon))
        for file in own.glob("daemon.db*"):
            if file.suffix != ".lock":
                file.unlink()
        simulator.control("share", image=CLEAN, accounts=[STRANGER])
        daemon.wait_value("share_drift_unexpected_accounts", 1.0, image_id=CLEAN)
        daemon.wait_value("share_drift_state_ok", 0.0)
        daemon.wait_event("state_rejected")
    with running(own, config(simulator.url)) as daemon:
        check(daemon.value("share_drift_state_ok") == 1, "state_ok is not 1 after the next sound start")
        check(not daemon.events("drift_opened", image_id=CLEAN)[1:], "the drift was opened again")
    return "said, and what came later was kept"


def doctored(own, simulator):
    """Columns that would silence or close a drift, in a file that is sound otherwise. The API cannot be asked meanwhile."""
    with running(own, config(simulator.url)) as daemon:
        wait_for("the truth", lambda: proven(daemon))
    with sqlite3.connect(own / "daemon.db") as state:
        state.execute("UPDATE images SET state='nonsense', last_complete=9e18, shared_accounts=-5 WHERE id=?", (DRIFT,))
        state.execute("DELETE FROM sightings WHERE image=?", (DRIFT,))
        state.execute("DELETE FROM images WHERE id=?", (CLEAN,))
    simulator.control("faults", kind="throttle")
    with running(own, config(simulator.url)) as daemon:
        check(unexpected(daemon, DRIFT) == 1, "the drift is gone")
        check(unexpected(daemon, CLEAN) is None, "a 0 without a proof")
        check(not daemon.events("drift_closed"), "a drift was closed")
        simulator.control("faults/clear")
        wait_for("the truth", lambda: proven(daemon))
        check(not daemon.events("drift_closed"), "a drift was closed")
    return "drift stays open, nothing claimed"


def restarted(own, simulator):
    """A change made while the daemon was down, and counters that go on or begin anew, never a little less."""
    with running(own, config(simulator.url)) as daemon:
        wait_for("the truth", lambda: proven(daemon))
        last_clean = wait_for("a listing", lambda: daemon.value("share_drift_listing_last_complete_timestamp_seconds", image_id=CLEAN))
    simulator.control("share", image=CLEAN, accounts=[STRANGER])
    time.sleep(1.2)  # longer than an interval
    with running(own, config(simulator.url)) as daemon:
        opened = daemon.wait_event("drift_opened", image_id=CLEAN)
        check(opened["first_run"] is False and opened["not_before"] < opened["first_seen"], f"not bounded: {opened}")
        begun = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(last_clean))
        check(opened["not_before"] >= begun, f"not bounded by the last clean listing: {opened}")
        gap = daemon.wait_event("monitoring_gap")
        check(gap["from"] < gap["to"] and gap["seconds"] >= 1, f"gap {gap}")
        check(not daemon.events("drift_opened", image_id=DRIFT)[1:], "the old drift was opened again")
        polls = daemon.value("share_drift_listing_duration_seconds_count")
        wait_for("polls that nobody wrote down", lambda: daemon.value("share_drift_listing_duration_seconds_count") >= polls + 12)
        before = daemon.value("share_drift_listings_total", image_id=CLEAN)
        check(daemon.value("share_drift_opened_total", image_id=DRIFT, kind="unexpected") == 1, "opened_total did not go on")
        daemon.wait_value("share_drift_state_ok", 1.0)
        since = daemon.value("share_drift_account_since_timestamp_seconds", image_id=DRIFT)
        daemon.kill()
    with running(own, config(simulator.url)) as daemon:
        check(daemon.value("share_drift_opened_total", image_id=CLEAN, kind="unexpected") == 1, "opened_total after a kill")
        check(daemon.value("share_drift_account_since_timestamp_seconds", image_id=DRIFT) == since, "since when is lost")
        metrics = daemon.metrics()
        listed = {dict(labels)["image_id"]: value for (name, labels), value in metrics.items() if name == "share_drift_listings_total"}
        anew = sum(listed.values()) == metrics["share_drift_listing_duration_seconds_count", frozenset()]
        check(anew or listed[CLEAN] >= before, f"listings_total went from {before} to {listed[CLEAN]}: Prometheus counts all of it again")
    code, out, err = run("history", f"--storage.path={own / 'daemon.db'}")
    check(code == 0 and "monitoring_gap" in out and STRANGER in out, f"history: {code} {err}")
    return "found, bounded, counted once"


# The guards

def fleet(simulator, more="", poll="interval: 1s, stale_after: 10s, spread: none", **profile):
    images = "".join(f'  - {{id: {image}, allowed: ["{FRIEND}"]}}\n' for image in FLEET)
    return re.sub(r"poll:.*\nimages:\n(.*\n)*", f"poll: {{{poll}}}\nimages:\n{images}{more}", config(simulator.url, **profile))


def mass_change(own, simulator):
    for image in FLEET:
        simulator.control("images", id=image, accounts=[FRIEND, STRANGER])
    poll = "interval: 3s, stale_after: 10s, spread: none, confirm_clears: 1"
    with running(own, fleet(simulator, poll=poll)) as daemon:
        wait_for("all drift", lambda: all(unexpected(daemon, image) == 1 for image in FLEET))
        # Each image is told to be empty once, all of them in one cycle or in two.
        simulator.control("faults", kind="lying_empty", action="DescribeImageSharePermission", count=10)
        wait_for("clears_held", lambda: daemon.value("share_drift_clears_held") > 0)
        held = daemon.wait_event("mass_change_held")
        check(held["images_losing"] > 2 and held["images_watched"] == 10 and held["clears_held"] > 2, f"held {held}")
        check(all(unexpected(daemon, image) == 1 for image in FLEET), "the massive cycle cleared something")
        check(not daemon.events("drift_closed"), "a drift was closed by the massive cycle")
        daemon.wait_value("share_drift_clears_held", 0.0)  # it was a lie, and ended
        lies = len(daemon.events("mass_change_held"))
        check(not daemon.events("drift_closed"), "a drift was closed although the API had lied")
        for image in FLEET:
            simulator.control("unshare", image=image, accounts=[STRANGER])
        simulator.control("share", image=FLEET[0], accounts=["5555555555555555"])  # raises pass while clears are held
        wait_for("the second hold", lambda: daemon.events("mass_change_held")[lies:])
        daemon.wait_event("drift_opened", image_id=FLEET[0], account_id="5555555555555555")
        wait_for("what stays absent to clear", lambda: all(
            unexpected(daemon, image) == (image == FLEET[0]) for image in FLEET))
        check(len(daemon.events("drift_closed", reason="revoked")) == 10, "closes")
        daemon.wait_value("share_drift_clears_held", 0.0)
    return "held, a lie closed nothing, then cleared"


def canary(own, simulator):
    simulator.control("images", id="m-canary", accounts=[STRANGER])
    with running(own, fleet(simulator, "  - {id: m-canary, allowed: [], canary: true}\n")) as daemon:
        daemon.wait_value("share_drift_canary_drift_open", 1.0, image_id="m-canary")
        check(unexpected(daemon, "m-canary") is None, "a canary pages")
        check(not daemon.events("drift_opened"), "a canary is drift")
        simulator.control("faults", kind="hide", account=STRANGER, image="m-canary")
        daemon.wait_event("canary_lost", image_id="m-canary")
        daemon.wait_value("share_drift_canary_drift_open", 0.0, image_id="m-canary")
        simulator.control("faults/clear")
        daemon.wait_event("canary_restored", image_id="m-canary")
        daemon.wait_value("share_drift_canary_drift_open", 1.0, image_id="m-canary")
        simulator.control("faults", kind="throttle")
        wait_for("blindness", lambda: daemon.state("m-canary") == "unreachable")
        check(daemon.value("share_drift_canary_drift_open", image_id="m-canary") == 1, "blindness is no lost canary")
    return "lost when hidden, restored, never a page"


def owner(own, simulator):
    sts = {"sts_endpoint": f'"{simulator.url}"'}
    simulator.control("keys", id="foreign", secret="fake", account="7777777777777777")
    with running(own, config(simulator.url, owner_account='"1111111111111111"', **sts)) as daemon:
        wait_for("the truth by the owner's key", lambda: proven(daemon))
    simulator.control("requests/clear")
    with running(own, config(simulator.url, owner_account='"1111111111111111"', **sts), key="foreign", secret="fake") as daemon:
        wait_for("forbidden", lambda: daemon.state(DRIFT) == "forbidden")
        check((daemon.value("share_drift_listing_failures_by_reason_total", reason="owner_mismatch") or 0) > 0, "the reason")
        check(unexpected(daemon, DRIFT) == 1 and not daemon.events("drift_closed"), "a foreign key closed a drift")
        seen = simulator.get("requests")["data"]
        check("DescribeImageSharePermission" not in str(seen), f"judged with a foreign key: {seen}")
    return "forbidden/owner_mismatch, nothing asked"


def gone(own, simulator):
    with running(own, config(simulator.url)) as daemon:
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("unshare", image=CLEAN, accounts=[FRIEND])
        wait_for("empty", lambda: daemon.state(CLEAN) == "empty")
        simulator.control("images/delete", id=DRIFT)
        wait_for("gone", lambda: daemon.state(DRIFT) == "gone")
        closed = daemon.wait_event("drift_closed", image_id=DRIFT)
        check(closed["reason"] == "image_gone" and closed["last_seen"] < closed["not_after"], f"closed {closed}")
        simulator.control("faults", kind="throttle", action="DescribeSelfImages")
        before = daemon.value("share_drift_listings_total", image_id=DRIFT)
        wait_for("listings meanwhile", lambda: daemon.value("share_drift_listings_total", image_id=DRIFT) >= before + 3)
        check(daemon.state(DRIFT) == "incomplete", f"{daemon.state(DRIFT)}, although nobody could tell")
        unknown = daemon.value("share_drift_listing_failures_by_reason_total", reason="ownership_unknown")
        check((unknown or 0) > 0, "the reason")
        simulator.control("faults/clear")
        simulator.control("images", id=DRIFT, accounts=[])
        wait_for("empty once it is there again", lambda: daemon.state(DRIFT) == "empty")
    return "told apart, and no fault takes it back"


TYPO = "m-claen"


def not_ours(own, simulator):
    """A mistyped id: gone, in the daemon and in every command, and never a number."""
    text = config(simulator.url).replace("images:\n", f"images:\n  - {{id: {TYPO}, allowed: []}}\n")
    with running(own, text) as daemon:
        wait_for("the truth", lambda: proven(daemon))
        wait_for("gone", lambda: daemon.state(TYPO) == "gone")
        check(unexpected(daemon, TYPO) is None, "a number for an image that is not there")
        for command, wanted in (("check", 3), ("plan", 3), ("baseline", 3), ("lint --online", 1)):
            only = ["--image", TYPO] if wanted == 3 else []
            code, out, err = run(*command.split(), f"--config.file={daemon.config}", *only)
            claims = out.lower().replace("(0 of 1 in sync)", "")
            check(code == wanted and "in sync" not in claims, f"{command}: {code} {out} {err}")
        code, out, err = run("check", f"--config.file={daemon.config}", "--image", TYPO, "--format=json")
        check("image_gone" in out, f"check: {out} {err}")
    return "gone on every surface"


def no_right(own, simulator):
    """The right to list images is taken away, from the start or later: an empty list is no proof, and what is known stays."""
    simulator.control("unshare", image=CLEAN, accounts=[FRIEND])
    simulator.control("keys/rights", id=simulator.KEY, rights=["ens:DescribeImageSharePermission"])
    with running(own, config(simulator.url)) as daemon:
        wait_for("drift", lambda: unexpected(daemon, DRIFT) == 1)
        wait_for("incomplete", lambda: daemon.state(CLEAN) == "incomplete")
        check(unexpected(daemon, CLEAN) is None, "a 0 for an image that may not be ours")
        said = daemon.wait_event("listing_incomplete", image_id=CLEAN)
        check(said["reason"] == "ownership_unknown" and "ens:DescribeSelfImages" in said["detail"], f"said {said}")
        said = daemon.wait_event("inventory_incomplete")
        check(said["reason"] == "forbidden" and "ens:DescribeSelfImages" in said["detail"], f"said {said}")
        check(daemon.value("share_drift_inventory_complete", profile="default") == 0, "inventory_complete")
        code, out, err = run("check", f"--config.file={daemon.config}", "--image", CLEAN)
        check(code == 3 and "ens:DescribeSelfImages" in out, f"check: {code} {out} {err}")
        simulator.control("keys/rights", id=simulator.KEY, rights=["ens:Describe*"])
        wait_for("empty", lambda: daemon.state(CLEAN) == "empty")
        check(unexpected(daemon, CLEAN) == 0, "no number once it is proven")
    return "ownership_unknown, the right is named"


def unwatched(own, simulator):
    """Images that nobody watches are counted and named, and the count falls on proof only."""
    simulator.control("images", id="m-forgotten", name="forgotten")
    with running(own, config(simulator.url)) as daemon:
        daemon.wait_value("share_drift_inventory_unwatched_images", 1.0, profile="default")
        check(daemon.value("share_drift_inventory_images", profile="default") == 3, "images")
        named = daemon.value("share_drift_inventory_unwatched_image_info", image_id="m-forgotten", image_name="forgotten", profile="default")
        check(named == 1, "not named")
        check(daemon.value("share_drift_inventory_complete", profile="default") == 1, "inventory_complete")
    return "counted and named"


BUILT = "m-built"


def discovering(simulator, rules):
    return config(simulator.url) + f"discover:\n{rules}"


def found_by_itself(own, simulator):
    """From an inventory to a page, over a laxer name, a restart, a right that is lost, and the end of the image."""
    rules = f'  - {{name: "lax-*", allowed: ["{STRANGER}"]}}\n  - {{allowed: []}}\n'
    with running(own, discovering(simulator, rules)) as daemon:
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("images", id=BUILT, name="edge-7", accounts=[STRANGER])
        wait_for("the drift of the new image", lambda: unexpected(daemon, BUILT) == 1)
        opened = daemon.wait_event("drift_opened", image_id=BUILT, account_id=STRANGER)
        check(opened.get("discovered") is True and "not_before" in opened, f"opened {opened}")
        info = daemon.value("share_drift_image_info", image_id=BUILT, image_name="edge-7", source="discovered")
        check(info == 1, "image_info")
        simulator.control("images/rename", id=BUILT, name="lax-7")
        daemon.wait_event("image_renamed", image_id=BUILT)
        check(unexpected(daemon, BUILT) == 1, "a new name is a way out")
    simulator.control("keys/rights", id=simulator.KEY, rights=["ens:DescribeImageSharePermission"])
    with running(own, discovering(simulator, rules)) as daemon:
        check(daemon.events("started")[-1]["images"] == 3, f"started with {daemon.events('started')[-1]}")
        check(unexpected(daemon, BUILT) == 1, "forgotten over a restart")
        before = daemon.value("share_drift_listings_total", image_id=BUILT)
        wait_for("polls without the right", lambda: daemon.value("share_drift_listings_total", image_id=BUILT) >= before + 3)
        check(unexpected(daemon, BUILT) == 1 and not daemon.events("drift_closed"), "a lost right ended a drift")
        simulator.control("keys/rights", id=simulator.KEY, rights=["ens:Describe*"])
        daemon.wait_event("inventory_recovered")
        simulator.control("images/delete", id=BUILT)
        wait_for("gone", lambda: daemon.state(BUILT) in ("gone", None))
        check(daemon.wait_event("drift_closed", image_id=BUILT)["reason"] == "image_gone", "closed")
        daemon.wait_event("image_left", image_id=BUILT)
        check(daemon.state(BUILT) is None, "its series stay")
    return "paged, kept over rename, restart, lost right; left on proof"


def ready_with_all(own, simulator):
    """Ready is who has attempted what the first walk brings, too; a walk that fails holds nobody up."""
    for image in FLEET:
        simulator.control("images", id=image, accounts=[FRIEND])
    with running(own, discovering(simulator, "  - {allowed: []}\n")) as daemon:  # waits for ready
        tried = [daemon.value("share_drift_listings_total", image_id=image) or 0 for image in FLEET]
        check(min(tried) >= 1, f"ready, and not attempted: {tried}")
    simulator.control("keys/rights", id=simulator.KEY, rights=["ens:DescribeImageSharePermission"])
    (own / "daemon.db").unlink()
    with running(own, discovering(simulator, "  - {allowed: []}\n")) as daemon:
        check(daemon.state(DRIFT) is not None and daemon.state(FLEET[0]) is None, "ready without an inventory")
    return "each was polled; without the right ready as well"


# What is said while nobody can see

def timeline(own, simulator):
    with running(own, config(simulator.url)) as daemon:  # interval 1 s, stale_after 4 s
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("faults", kind="server_error")
        wait_for("blindness", lambda: daemon.state(CLEAN) == "unreachable")
        last = daemon.value("share_drift_listing_last_complete_timestamp_seconds", image_id=CLEAN)

        def claims():
            """What is said about m-clean, and how old its proof was before and after it was said."""
            began = time.time()
            metrics = {name: value for (name, labels), value in daemon.metrics().items() if ("image_id", CLEAN) in labels}
            return metrics, began - last, time.time() - last
        while True:
            metrics, youngest, oldest = claims()
            check("share_drift_unexpected_accounts" in metrics or oldest > 4, f"withdrawn after {oldest:.1f} s")
            check("share_drift_unexpected_accounts" not in metrics or youngest < 24, f"still claimed after {youngest:.1f} s")
            if "share_drift_unexpected_accounts" not in metrics:
                break
            time.sleep(0.1)
        check("share_drift_missing_accounts" not in metrics and "share_drift_unlisted_accounts" not in metrics, "other zeros stay")
        check(metrics["share_drift_shared_accounts"] == 1, "a number above 0 went")
        for name in ("last_complete_timestamp_seconds", "last_attempt_timestamp_seconds", "complete"):
            check(f"share_drift_listing_{name}" in metrics, f"{name} went")
        check(metrics["share_drift_listing_last_attempt_timestamp_seconds"] > last, "the attempts stand still")
        check(unexpected(daemon, DRIFT) == 1, "the drift went")
        simulator.control("faults/clear")
        wait_for("the truth", lambda: proven(daemon))
    return f"0 withdrawn after {oldest:.1f} s, the rest stays"


def hammered(own, simulator):
    """Reloads are no way around the budget: what is waiting stays waiting."""
    for image in FLEET:
        simulator.control("images", id=image, accounts=[FRIEND])
    text = fleet(simulator, requests_per_second=2, timeout="5s")
    with running(own, text, wait=False) as daemon:
        wait_for("the first image", lambda: simulator.get("requests")["data"]["total"] >= 2)
        began, sent = time.monotonic(), simulator.get("requests")["data"]["total"]
        while time.monotonic() < began + 4:
            daemon.send(signal.SIGHUP)
            time.sleep(0.1)
        sent = simulator.get("requests")["data"]["total"] - sent
        seconds = time.monotonic() - began
        reloads = len(daemon.events("config_reloaded"))
        check(reloads >= 10, f"only {reloads} reloads")
        check(sent <= 2 * seconds + 3, f"{sent} requests in {seconds:.1f} s, 2 a second are allowed")
        wait_for("every image all the same", lambda: all(daemon.state(image) == "ok" for image in FLEET))
    return f"{sent} requests in {seconds:.0f} s over {reloads} reloads"


def two_profiles(own, simulator):
    """The budget and the trouble of a profile are its own."""
    key = own / "key"
    key.write_text("access_key_id=second\naccess_key_secret=fake\n")
    key.chmod(0o600)
    simulator.control("keys", id="second", secret="fake")
    text = config(simulator.url, requests_per_second=5).replace("poll:", f"""\
  second: {{endpoint: "{simulator.url}", credentials: {{source: static_file, file: "{key}"}}}}
poll:""").replace(f"id: {CLEAN},", f"id: {CLEAN}, profile: second,")
    with running(own, text) as daemon:
        wait_for("the truth", lambda: proven(daemon))
        simulator.control("faults", kind="throttle", key="second", retry_after_ms=60000)
        wait_for("throttling", lambda: daemon.state(CLEAN) == "unreachable")
        before = daemon.value("share_drift_listings_total", image_id=DRIFT)
        wait_for("the other to go on", lambda: daemon.value("share_drift_listings_total", image_id=DRIFT) >= before + 3)
        check(not daemon.value("share_drift_listing_failures_total", image_id=DRIFT), "the other failed, too")
        check(daemon.value("share_drift_api_failures_total", profile="second", reason="throttled") > 0, "not counted")
        check(not daemon.value("share_drift_api_failures_total", profile="default", reason="throttled"), "counted for the other")
    return "the other went on at its pace"


def main():
    table = Table(7)
    with workspace() as (directory, _):
        def row(fault, expected, act):
            def go():
                with place(directory, re.sub(r"\W+", "-", fault)) as (own, simulator):
                    return act(own, simulator)
            table.row(fault, expected, go)
        row("state: damaged", "state_ok 0, set aside", set_wrong(tear, "damaged"))
        row("state: foreign", "state_ok 0, set aside", set_wrong(foreign, "foreign"))
        row("state: of a later version", "state_ok 0, set aside", set_wrong(future, "future"))
        row("state: missing at a later start", "state_ok 0, begun anew", set_wrong(pathlib.Path.unlink, "missing"))
        row("state: taken away while in use", "state_ok 0, begun anew", taken_away)
        row("state: doctored, API throttled", "no drift closed, no 0", doctored)
        row("down while a share appears, kill -9", "found, bounded, counters", restarted)
        row("ten images lose accounts at once", "clears held", mass_change)
        row("the canary stops singing", "canary_lost, then restored", canary)
        row("a key of another account", "forbidden, nothing judged", owner)
        row("image deleted, image emptied", "gone and empty told apart", gone)
        row("an id that is mistyped", "gone, in every command", not_ours)
        row("no right to list images", "ownership_unknown, no 0", no_right)
        row("an image that nobody watches", "counted and named", unwatched)
        row("an image is built, renamed, deleted", "found, kept, left on proof", found_by_itself)
        row("ready while images are discovered", "each attempted, or no walk", ready_with_all)
        row("blind beyond stale_after", "zeros withdrawn, rest stays", timeline)
        row("one profile throttled", "the other goes on", two_profiles)
        row("HUP storm against the budget", "2 requests a second", hammered)
        table.run()
    if table.missed:
        print(f"{table.missed} rows missed")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
