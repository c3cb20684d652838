#!/usr/bin/env python3
"""The manual's chapters on the JSON API and on history say what a daemon answers: check_manual_api.py SOURCE

SHAREDRIFT_BIN_DIR names the programs.
"""
import json
import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(SOURCE / "tests/support"))
from harness import Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402

PAGE = (SOURCE / "daemon/manual/share-drift-exporter.1").read_text().replace("\\-", "-")
ALLOWED = "1715107400000002"
IMAGES = f"""
images:
  - id: m-sim-1
    allowed: []
    exceptions: [{{account: "{ALLOWED}", expires: 9000-01-01, owner: a, ticket: b, reason: c}}]
  - {{id: m-none, allowed: []}}
"""


def chapter(title, kind="SH"):
    return re.search(rf"^\.{kind} {title}\n(.*?)(?=^\.S[HS] |\Z)", PAGE, re.M | re.S)[1]


def members(title):
    """{member: what is said of it} of a subsection."""
    found = {}
    for entry in re.split(r"^\.TP\n", chapter(title, "SS"), flags=re.M)[1:]:
        tag, _, body = entry.partition("\n")
        found.update(dict.fromkeys(re.findall(r"[a-z_]+", tag.partition(" ")[2]), body))
    return found


def same(what, answered, told):
    if set(answered) != set(told):
        raise Failed(f"{what}: the daemon has {sorted(set(answered) - set(told))} besides, the manual {sorted(set(told) - set(answered))}")


def named(what, answered, text):
    missing = [word for word in answered if not re.search(rf"\b{word}\b", text)]
    if missing:
        raise Failed(f"{what}: the manual does not name {missing}")


def get(daemon, path, status=200):
    code, _, body = daemon.http(path)
    if code != status:
        raise Failed(f"{path} answered {code}")
    return json.loads(body)


def check_members(daemon):
    image, absent = (get(daemon, f"/api/v1/images/{name}")["data"] for name in ("m-sim-1", "m-none"))
    told = members("An image")
    same("an image", image, told)
    single = {"accounts", "exceptions"}
    [listed] = [one for one in get(daemon, "/api/v1/images")["data"] if one["image_id"] == "m-sim-1"]
    same("an image of the list", listed, set(told) - single)
    for member, part in (("counters", image["counters"]), ("last_failure", absent["last_failure"]), ("accounts", image["accounts"][0]),
                         ("exceptions", image["exceptions"][0])):
        named(member, part, told[member])
    same("a drift", image["drift"][0], members("A drift"))
    named("a drift of /api/v1/drift", set(get(daemon, "/api/v1/drift")["data"][0]) - set(image["drift"][0]), chapter("JSON API"))


def check_events(daemon):
    text = chapter("JSON API")
    message = get(daemon, "/api/v1/events?nonsense=1", 400)["error"]
    named("parameters of /api/v1/events", re.findall(r"\w+", message.partition("there are ")[2]), text)
    bounds = re.search(r"from (\d+ to \d+)", get(daemon, "/api/v1/events?limit=0", 400)["error"])[1]
    named("the limit of /api/v1/events", [bounds], text)
    named("errors", [get(daemon, path, status)["errorType"] for path, status in (("/api/v1/events?limit=0", 400), ("/api/v1/none", 404))],
          text)
    times = [event["ts"] for event in get(daemon, "/api/v1/events")["data"]]
    if times != sorted(times) or get(daemon, "/api/v1/events?limit=1")["data"][0]["ts"] != times[-1]:
        raise Failed("events are not the newest, oldest first")


def check_history(directory):
    code, shown, _ = run("history", f"--storage.path={directory / 'daemon.db'}")
    summary, _, heading = shown.splitlines()[:3]
    if code != 0 or not re.fullmatch(r"\d+ events from \S+ \S+ to \S+ \S+: \d+ errors?, \d+ warnings?", summary):
        raise Failed(f"history ended with {code}: {summary}")
    told = re.search(r"^\.B (TIME.*?)\.$", chapter("OUTPUT OF history"), re.M)[1]
    if re.split(r" {2,}", heading.strip()) != told.split(", "):
        raise Failed(f"history has the columns {heading}, the manual {told}")
    _, lines, _ = run("history", f"--storage.path={directory / 'daemon.db'}", "--format=json", "--limit=1")
    named("a line of history --format=json", list(json.loads(lines))[:4], chapter("OUTPUT OF history"))


def main():
    with workspace() as (directory, own):
        simulator = own(Simulator(directory, "--images=1", "--accounts=2"))
        daemon = own(Daemon(directory, f"profiles: {{default: {{endpoint: {simulator.url}}}}}\npoll: {{interval: 1s}}\n{IMAGES}"))
        wait_for("a failure", lambda: get(daemon, "/api/v1/images/m-none")["data"]["last_failure"])
        check_members(daemon)
        check_events(daemon)
        check_history(directory)
    print("the manual's JSON API and history are the daemon's")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
