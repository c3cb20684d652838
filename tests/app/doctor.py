#!/usr/bin/env python3
"""`doctor` meets ens-simulator in every way in which that can behave: doctor.py. SHAREDRIFT_BIN_DIR names the programs.

For each switch: doctor names it, `check` and the daemon do what the consequence says, and a simulator that is given the report answers
alike. Each switch is a world of its own, and several worlds run at once: most of their time is between two polls.
"""
import concurrent.futures
import datetime
import functools
import json
import pathlib
import re
import subprocess
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import BIN, Daemon, Failed, Simulator, free_port, run, wait_for, workspace  # noqa: E402

SHARED, EMPTY, UNKNOWN, ACCOUNT = "m-sim-1", "m-nobody", "m-not-there", "1715107400000001"
CONFIG = """\
profiles:
  default: {{endpoint: "{url}", sts_endpoint: "{url}", requests_per_second: 0, max_attempts: 1, credentials: {{source: environment}}{more}}}
images:
  - {{id: m-sim-1, allowed: ["1715107400000001"]}}
  - {{id: m-nobody, allowed: []}}
"""
NOT_THERE = "  - {id: m-not-there, allowed: []}\n"
WATCH = NOT_THERE + """\
poll: {interval: 1s, spread: none, confirm_clears: 1}
inventory: {interval: 1s}
"""
STRANGER = "6666666666666666"
OK, DIFFERS, USAGE, BLIND = 0, 1, 2, 3
WORLDS_AT_ONCE = 6

# switch, what doctor says of what, its exit code, and the reasons with which check cannot tell an image (none: it can)
SWITCHES = [
    ({}, {}, OK, {}),
    ({"total_count": "more"}, {"TotalCount": "blind"}, BLIND, {SHARED: "count_mismatch", EMPTY: "count_mismatch"}),
    ({"total_count": "less"}, {"TotalCount": "blind"}, BLIND, {SHARED: "count_mismatch", EMPTY: "count_mismatch"}),
    ({"total_count": "omitted"}, {"TotalCount": "blind"}, BLIND, {SHARED: "count_mismatch", EMPTY: "count_mismatch"}),
    ({"total_count": "text"}, {"TotalCount": "differs"}, DIFFERS, {}),
    ({"large_page": "cut"}, {"PageSize above 100": "differs"}, DIFFERS, {}),
    ({"large_page": "taken"}, {"PageSize above 100": "differs"}, DIFFERS, {}),
    ({"unknown_image": "InvalidImageId.NotFound"}, {"unknown ImageId": "differs"}, DIFFERS, {}),
    ({"unknown_image": "Odd.Code"}, {"unknown ImageId": "differs"}, DIFFERS, {}),
    *(({"empty_list": form}, {"empty list": "differs"}, DIFFERS, {})
      for form in ("missing", "null", "empty_array", "empty_object", "account_null")),
    ({"empty_list": "text"}, {"empty list": "blind"}, BLIND, {EMPTY: "bad_payload"}),
    *(({"row_form": form}, {"account id": "differs"}, DIFFERS, {})
      for form in ("strings", "numbers", "numeric_uid", "aliyun_id", "numeric_aliyun_id")),
    ({"filter_by_aliyun_id": True}, {"parameter AliyunId": "differs"}, DIFFERS, {}),
    ({"rate_limit_headers": True}, {"throttling headers": "differs"}, DIFFERS, {}),
    ({"nonce_checked": False}, {"X-Acs-Signature-Nonce": "differs"}, DIFFERS, {}),
    ({"inventory_total_count": False}, {"TotalCount of the inventory": "differs"}, DIFFERS, {}),
    ({"inventory_exact_filter": True}, {"ImageId of the inventory": "differs"}, DIFFERS, {}),
    ({"inventory_page_cap": 50, "inventory_page_cut": True}, {"PageSize of the inventory": "differs"}, DIFFERS, {}),
    ({"inventory_page_cap": 50, "inventory_page_cut": False}, {"PageSize of the inventory": "differs"}, DIFFERS, {}),
    ({"inventory_page_cap": 10, "inventory_page_cut": False}, {"PageSize of the inventory": "differs"}, DIFFERS, {}),
    ({"unknown_image": "Odd.Code", "empty_list": "text"}, {"unknown ImageId": "differs", "empty list": "blind"}, BLIND, {EMPTY: "bad_payload"}),
    ({"inventory_regions": "ap-southeast-1"}, {"images of the other region": "differs"}, DIFFERS, {}),
    ({"inventory_regions": "both"}, {"images of the other region": "differs"}, DIFFERS, {}),
]
METADATA = '{source: ecs_ram_role, metadata_endpoint: "URL"}'
# switch, source of the key, what doctor says of it (nothing: it takes it)
ROLES = [
    ({"metadata_role": ""}, METADATA, "no RAM role is attached"),
    ({"metadata_v1": False}, METADATA, ""),
    ({"metadata_session_seconds": 600}, METADATA, ""),
    ({"uri_role": ""}, '{source: credentials_uri, uri: "URL/credentials"}', "gives no credentials"),
]


def expect(holds, what):
    if not holds:
        raise Failed(what)


class Doctor:
    def __init__(self, folder, own):
        self.folder, self.own, self.number = folder, own, 0

    def simulator(self, *flags, images=1):
        self.number += 1
        sim = self.own(Simulator(self.folder, f"--images={images}", "--accounts=1", *flags, name=f"simulator{self.number}"))
        sim.control("images", id=EMPTY)
        return sim

    def config(self, url, more="", after=""):
        file = self.folder / f"config{self.number}.yml"
        file.write_text(CONFIG.format(url=url, more=more) + after)
        return file

    def meet(self, sim, *flags, config=None, **environment):
        """(exit code, text, report) of one meeting."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        code, out, err = run("doctor", f"--config.file={config or self.config(sim.url)}", f"--report={report}", *flags, env=environment)
        expect(max(map(len, out.splitlines()), default=0) <= 80, f"wider than 80 columns:\n{out}")
        return code, out + err, json.loads(report.read_text()) if report.exists() else None


def findings(report):
    return {f["name"]: (f["standing"], f["seen"]) for f in report["findings"]}


def one_switch(switch, named, code, reasons, doctor):
    sim = doctor.simulator()
    sim.control("behaviour", **switch)
    got, text, report = doctor.meet(sim)
    expect(got == code == report["exit_code"], f"{switch}: exit {got}, not {code}\n{text}")
    for name, standing in named.items():
        expect(findings(report)[name][0] == standing, f"{switch}: {findings(report)[name]}\n{text}")
    others = {n: f for n, f in findings(report).items() if f[0] in ("blind", "differs") and n not in named}
    expect(not others, f"{switch}: {others}\n{text}")
    asked = sim.get("requests?limit=1000")["data"]["requests"]
    expect(len(asked) == report["requests"] <= 20, f"{switch}: {len(asked)} requests, {report['requests']} told")
    expect({r["action"] for r in asked} <= {"DescribeImageSharePermission", "DescribeSelfImages", "GetCallerIdentity"}, asked)
    again = doctor.simulator(f"--behaviour={doctor.folder / 'report.json'}")
    _, _, second = doctor.meet(again)
    again.stop()
    expect(findings(second) == findings(report), f"{switch} does not come back:\n{findings(report)}\n{findings(second)}")
    judged_as_told(doctor, sim, switch, reasons)
    watched_as_told(doctor, sim, switch, named, reasons)
    print(f"ok   {switch or 'as documented'}: exit {code}, and again from its own report")


def every_switch_is_met(doctor):
    """The simulator has no switch that this test forgets."""
    met = {name for switch, *_ in SWITCHES for name in switch} | {name for switch, *_ in ROLES for name in switch}
    there = set(doctor.simulator().get("state")["data"]["behaviour"])
    expect(met == there, f"no test of {there - met}, no switch {met - there}")


# images, images on a page, what doctor says of it, and in which words
PAGE_CAPS = [(60, 50, "differs", "100 is cut to 50"), (150, 100, "as assumed", "1000 is cut to 100"),
             (60, 100, "as assumed", "100 is taken"), (150, 1000, "as assumed", "1000 is taken")]


def page_cap(images, cap, standing, seen, doctor):
    """Where neither TotalCount nor PageSize comes, the next page tells whether a page was cut."""
    sim = doctor.simulator(images=images)
    sim.control("behaviour", inventory_total_count=False, inventory_page_cut=True, inventory_page_cap=cap)
    _, text, report = doctor.meet(sim)
    got = findings(report)["PageSize of the inventory"]
    expect(got[0] == standing and seen in got[1], f"{images} images, cap {cap}: {got}\n{text}")
    expect(report["behaviour"].get("inventory_page_cap", 1000) in (cap, 1000), report["behaviour"])
    again = doctor.simulator(f"--behaviour={doctor.folder / 'report.json'}", images=images)
    _, _, second = doctor.meet(again)
    expect(findings(second) == findings(report), f"does not come back:\n{findings(report)}\n{findings(second)}")
    code, out, err = run("check", f"--config.file={doctor.config(sim.url)}")
    expect(code == OK, f"{images} images, cap {cap}: check {code}\n{out}{err}")
    print(f"ok   {images} images in pages of {cap}: {seen}")


def judged_as_told(doctor, sim, switch, reasons):
    """`check` does what doctor's consequence says: what it copes with is judged, what makes it blind is never in sync."""
    _, out, err = run("check", f"--config.file={doctor.config(sim.url, after=NOT_THERE)}", "--format=json")
    images = {i["image_id"]: i for i in json.loads(out)["images"]}
    for image in (SHARED, EMPTY):
        verdict = images[image]["verdict"]
        expect((verdict == "unknown") == (image in reasons), f"{switch}: {image} is {verdict}\n{out}{err}")
    expect(images[UNKNOWN]["verdict"] == "unknown", f"{switch}: an image that is not there is {images[UNKNOWN]['verdict']}\n{out}")
    for image, reason in reasons.items():
        expect(images[image]["last_failure"]["reason"] == reason, f"{switch}: {image}: {images[image]['last_failure']}")


def watched_as_told(doctor, sim, switch, named, reasons):
    """The daemon, too, from its start: it claims nothing of what it cannot tell, and who should not have an image is found in any case."""
    daemon = doctor.own(Daemon(doctor.folder, doctor.config(sim.url).read_text() + WATCH, name=f"watch{doctor.number}"))
    for image in (SHARED, EMPTY, UNKNOWN):
        blind = image in reasons or image == UNKNOWN
        if not blind:
            daemon.wait_value("share_drift_listing_complete", 1, image_id=image)  # on a slow machine not with the first poll
        complete = daemon.value("share_drift_listing_complete", image_id=image)
        expect(complete == (not blind), f"{switch}: {image}: complete {complete}, {daemon.state(image)}")
        told = daemon.value("share_drift_unexpected_accounts", image_id=image)
        expect(told == (None if blind else 0), f"{switch}: {image}: {told} unexpected accounts")
        told = daemon.value("share_drift_shared_accounts", image_id=image)
        expect(told == (None if blind else image == SHARED), f"{switch}: {image}: shared with {told}")
        if image in reasons:
            expect(daemon.value("share_drift_listing_failure_info", image_id=image, reason=reasons[image]) == 1, f"{switch}: {image}: reason")
    expect(daemon.state(UNKNOWN) in ("gone", "incomplete", "invalid", "unreachable"), f"{switch}: {daemon.state(UNKNOWN)}")
    listed = 0 if named.get("PageSize of the inventory") == "blind" else 1
    daemon.wait_value("share_drift_inventory_complete", listed, profile="default")
    sim.control("share", image=SHARED, accounts=[STRANGER])
    daemon.wait_value("share_drift_unexpected_accounts", 1, image_id=SHARED)
    sim.control("unshare", image=SHARED, accounts=[STRANGER])
    clears = SHARED not in reasons
    wait_for("the next listing", lambda before=daemon.value("share_drift_listings_total", image_id=SHARED):
             daemon.value("share_drift_listings_total", image_id=SHARED) > before + 1)
    told = daemon.value("share_drift_unexpected_accounts", image_id=SHARED)
    expect(told == (0 if clears else 1), f"{switch}: {told} unexpected accounts after the share was removed")
    daemon.stop()


def the_way_there(doctor):
    sim = doctor.simulator()
    config = doctor.config(sim.url)

    def blind(what, name, says, code=BLIND, do="", flags=(), **environment):
        got, text, report = doctor.meet(sim, *flags, config=config, **environment)
        expect(got == code, f"{what}: exit {got}\n{text}")
        standing, seen = findings(report)[name]
        expect(standing == ("blind" if code == BLIND else "differs") and says in seen, f"{what}: {standing} {seen}\n{text}")
        told = next(f for f in report["findings"] if f["name"] == name)
        expect(not told["cure"] or told["cure"] not in told["seen"], f"{what}: what helps is said once: {told}")
        expect(do in told["cure"] and told["cure"] and told["consequence"], f"{what}: {told}")
        others = [f for f in report["findings"] if f["standing"] in ("blind", "differs") and f["name"] != name]
        expect(not others, f"{what}: one cause is one finding: {others}\n{text}")
        causes = [line for line in text.splitlines() if "not asked" in line]
        expect(len(causes) <= 2, f"{what}: one cause is told once\n{text}")
        print(f"ok   {what}: {name}")
        return text

    blind("no credentials", "credentials", "is not set", ALIBABA_CLOUD_ACCESS_KEY_ID="", ALIBABA_CLOUD_ACCESS_KEY_SECRET="")
    blind("a wrong secret", "key", "SignatureDoesNotMatch", do="compare the secret", ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong")
    blind("a wrong key", "key", "InvalidAccessKeyId.NotFound", do="compare the id", ALIBABA_CLOUD_ACCESS_KEY_ID="wrong")
    sim.control("keys/rights", id=Simulator.KEY, rights=["ens:DescribeSelfImages", "sts:*"])
    blind("without one right", "right ens:DescribeImageSharePermission", "NoPermission", do="grant ens:DescribeImageSharePermission")
    sim.control("keys/rights", id=Simulator.KEY, rights=["ens:DescribeImageSharePermission", "sts:*"])
    blind("without the other", "right ens:DescribeSelfImages", "NoPermission", do="grant ens:DescribeSelfImages")
    sim.control("keys/rights", id=Simulator.KEY, rights=["*"])
    for what, says, do, fault in (("throttling", "Throttling.User", "limit requests_per_second", {"kind": "throttle"}),
                                  ("a gateway's page", "HTTP 502", "later", {"kind": "html", "status": 502}),
                                  ("a page that is none of the API's", "a page instead of JSON", "endpoint", {"kind": "html", "status": 200}),
                                  ("a redirect", "HTTP 302", "endpoint", {"kind": "redirect"}),
                                  ("an API with trouble", "ServiceUnavailable", "later", {"kind": "error", "code": "ServiceUnavailable"})):
        for action in ("DescribeSelfImages", "DescribeImageSharePermission"):
            sim.control("faults", action=action, **fault)
            text = blind(f"{what} for {action}", "answers", says, do=do)
            cause = text.split("\nblind\n")[1].split("\nnot seen\n")[0]
            expect(action in cause and "right" not in cause, f"the right is not the cause:\n{text}")
            sim.control("faults/clear")
        sim.control("faults", **fault)
        text = blind(f"{what} for everything", "answers", says, do=do)
        sim.control("faults/clear")
    sim.control("faults", kind="html", status=502, count=1)
    patient = doctor.folder / "patient.yml"
    patient.write_text(config.read_text().replace("max_attempts: 1", "max_attempts: 2"))
    got, text, _ = doctor.meet(sim, config=patient)
    expect(got == OK, f"one 502 blinds nobody, check tries again as well:\n{text}")
    sim.control("faults/clear")
    expect("DNS: not needed" in text, f"an address has no name to find:\n{text}")
    sim.control("faults", kind="throttle")
    _, text, report = doctor.meet(sim, config=config)
    expect(findings(report)["throttling headers"][0] == "not seen", f"nothing but throttled answers came:\n{text}")
    sim.control("faults/clear")
    sim.control("faults", kind="html", image=EMPTY)
    blind("a configured image alone that cannot be listed", "answers", "HTTP 502")
    sim.control("faults/clear")
    sim.control("keys", id="root", secret="fake", kind="account")
    blind("the account's own key", "identity", "the account's own (root) key", code=DIFFERS, do="RAM user",
          ALIBABA_CLOUD_ACCESS_KEY_ID="root", ALIBABA_CLOUD_ACCESS_KEY_SECRET="fake")
    sim.control("faults", kind="clock_skew", seconds=1200)
    blind("a clock that is wrong", "clock", "s ahead", code=DIFFERS)
    sim.control("faults/clear")
    blind("a proxy that is set and not used", "proxy", "http_proxy is set, and not used", code=DIFFERS, http_proxy="http://127.0.0.1:9")
    config = doctor.config(sim.url, ', owner_account: "2222222222222222"')
    blind("a key of another account", "identity", "owner_account is")
    config = doctor.config(sim.url)
    blind("an image that was asked for and is not there", "configured images", "does not list image-", flags=["--image=m-nope"], do="correct the id")
    config = doctor.config(sim.url, after=NOT_THERE)
    blind("an image that is not there", "configured images", "does not list image-", code=DIFFERS, do="correct the id")
    sim.control("images", id="m-not-here")
    expect("copes" not in doctor.meet(sim, config=config)[1], "check cannot judge it")
    text = blind("an image that is mistyped", "configured images", "does not list image-", code=DIFFERS, do="image-")
    expect("write m-not-here in place of m-not-there" in " ".join(text.split()), text)
    sim.control("images/delete", id="m-not-here")
    config.write_text(re.sub("m-sim-1|m-nobody", lambda found: found[0] + "-elsewhere", config.read_text()))
    blind("the other region's endpoint", "configured images", "lists none of the 3 images", do="https://ens.ap-southeast-1.aliyuncs.com")
    sim.control("images/delete", id=SHARED)
    sim.control("images/delete", id=EMPTY)
    blind("an account without images", "configured images", f"the account of this key owns no image at {sim.url}", do="another account")
    config.write_text(config.read_text().split("images:")[0])
    text = blind("an account without images, and none configured", "configured images", "owns no image at", do="another account")
    expect("in sync" not in text.replace("never called in sync", ""), text)
    config.write_text(config.read_text() + 'discover: [{allowed: []}]\n')
    blind("an account without images, and a rule", "configured images", "owns no image at", do="another account")
    config = doctor.config(f"http://127.0.0.1:{free_port()}")
    blind("nobody at the endpoint", "connection", "connect")
    config = doctor.config("https://localhost:1", ", allow_any_endpoint: true")
    blind("nobody at an https endpoint", "connection", "connect")


def role_that_is_not_there(switch, source, says, doctor):
    """A switch of a place where keys come from: doctor names it, and the daemon says so of every image, and goes on."""
    sim = doctor.simulator()
    sim.control("behaviour", **switch)
    text = doctor.config(sim.url).read_text().replace("{source: environment}", source.replace("URL", sim.url))
    config = doctor.folder / "roles.yml"
    config.write_text(text)
    got, told, report = doctor.meet(sim, config=config)
    standing, seen = findings(report)["credentials"]
    expect((standing == "blind") == bool(says) and says in seen, f"{switch}: {standing} {seen}\n{told}")
    expect((got == BLIND) == bool(says), f"{switch}: exit {got}\n{told}")
    if not says:
        ends = datetime.datetime.fromisoformat(re.search(r"ends at (\S+)Z", seen)[1]) - datetime.datetime.utcnow()
        expect(0 < ends.total_seconds() <= switch.get("metadata_session_seconds", 3600), f"{switch}: {seen}")
    daemon = doctor.own(Daemon(doctor.folder, text + WATCH, name="roles", key=None))
    state = daemon.state(SHARED)
    expect(state == ("unreachable" if says else "ok"), f"{switch}: {state}")
    told = daemon.value("share_drift_listing_failure_info", image_id=SHARED, reason="credentials")
    expect(told == (1 if says else None), f"{switch}: {told}")
    daemon.stop()
    print(f"ok   {switch}: {standing}")


def without_ids_and_secrets(doctor):
    sim = doctor.simulator()
    sim.control("faults", kind="error", code="NoPermission", message=f"{ACCOUNT} may not list {SHARED} of 1111111111111111.",
                action="DescribeImageSharePermission")
    _, _, report = doctor.meet(sim)
    text = json.dumps(report)
    for told in (ACCOUNT, "1111111111111111", SHARED, Simulator.SECRET):
        expect(told not in text, f"{told} is in the report: {text}")
    expect("account-1" in text and "image-1" in text, f"no stand-ins: {text}")
    print("ok   the report holds no id and no secret")


def whole_or_not(doctor):
    sim = doctor.simulator()
    config = doctor.config(sim.url)
    sim.control("requests/clear")
    code, out, err = run("doctor", f"--config.file={config}", "--report=/nonexistent/report.json")
    expect(code == USAGE and "/nonexistent/report.json: No such file" in err and not out, f"{code} {out}{err}")
    expect(not sim.get("requests")["data"]["requests"], "nothing is asked for a report that cannot be written")
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN / "share-drift-exporter", "doctor", f"--config.file={config}"], stdout=full, stderr=subprocess.PIPE, text=True,
                              env={"ALIBABA_CLOUD_ACCESS_KEY_ID": Simulator.KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": Simulator.SECRET})
    expect(done.returncode == 1 and "could not be written whole" in done.stderr, f"{done.returncode} {done.stderr}")
    code, _, err = run("doctor", f"--config.file={config}", "--profile=other")
    expect(code == USAGE and "--profile" in err, f"{code} {err}")
    config.write_text("images: [")
    code, _, err = run("doctor", f"--config.file={config}")
    expect(code == USAGE and re.search(r"yml:\d+:\d+", err), f"{code} {err}")
    print("ok   whole or exit 1, usage is exit 2")


def ids_that_contain_another(doctor):
    """More images than a page whose ids contain the one that is looked for: nobody can tell, so it is not called missing."""
    sim = doctor.simulator()
    config = doctor.config(sim.url, after="  - {id: m-x-1, allowed: []}\n")
    for number in range(150):
        sim.control("images", id=f"m-x-1{number:03}")
    sim.control("images", id="m-x-1")
    _, text, report = doctor.meet(sim, config=config)
    standing, seen = findings(report)["configured images"]
    expect(standing in ("not seen", "as assumed") and "does not list" not in seen, f"{standing}: {seen}\n{text}")
    print("ok   an id that others contain is not called missing")


def reads_well(doctor):
    """Numbers and nouns agree, nothing is said twice, and what comes next is what can be done."""
    sim = doctor.simulator()
    code, text, _ = doctor.meet(sim)
    expect(code == OK and "Next: share-drift-exporter check." in text, text)
    bare = doctor.folder / "bare.yml"
    bare.write_text(doctor.config(sim.url).read_text().split("images:")[0])
    code, said, _ = doctor.meet(sim, config=bare)
    expect(code == OK and "Next: share-drift-exporter baseline --all" in said, f"one profile is enough: {code}\n{said}")
    sim.control("behaviour", total_count="omitted")
    _, blind, _ = doctor.meet(sim)
    _, key, _ = doctor.meet(sim, ALIBABA_CLOUD_ACCESS_KEY_ID="wrong")
    for told in (text, said, blind, key):
        for odd in ("1 differ,", ", 0 ", "1 requests", "1 rows", "1000 1000", "is nothing", "1 of its assumptions fail", "1 assumptions",
                    "  clock:  "):
            expect(odd not in told.replace("127.0.0.1", ""), f"{odd!r}:\n{told}")
    print("ok   it reads well")


def a_blind_report_is_no_simulator(doctor):
    sim = doctor.simulator()
    doctor.meet(sim, ALIBABA_CLOUD_ACCESS_KEY_ID="wrong")
    done = subprocess.run([BIN / "ens-simulator", f"--behaviour={doctor.folder / 'report.json'}"], capture_output=True, text=True, timeout=60)
    expect(done.returncode == USAGE and "saw nothing of how the API behaves" in done.stderr, f"{done.returncode} {done.stdout}{done.stderr}")
    sim.control("unshare", image=SHARED, all=True)
    doctor.meet(sim)
    again = doctor.simulator(f"--behaviour={doctor.folder / 'report.json'}")
    expect("doctor did not see account id, parameter AliyunId" in again.output(), again.output())
    print("ok   the simulator says what a report did not see, and takes none that saw nothing")


def main():
    worlds = [the_way_there, every_switch_is_met, reads_well, ids_that_contain_another, a_blind_report_is_no_simulator,
              without_ids_and_secrets, whole_or_not,
              *(functools.partial(test, *row) for test, rows in ((one_switch, SWITCHES), (page_cap, PAGE_CAPS), (role_that_is_not_there, ROLES))
                for row in rows)]

    def play(world):
        with workspace() as (folder, own):
            world(Doctor(folder, own))

    with concurrent.futures.ThreadPoolExecutor(WORLDS_AT_ONCE) as pool:
        played = [pool.submit(play, world) for world in worlds]
        failures = [each.exception() for each in played if each.exception()]
    if failures:
        sys.exit("\n".join(str(each) if isinstance(each, Failed) else "".join(traceback.format_exception(each)) for each in failures))


if __name__ == "__main__":
    main()
