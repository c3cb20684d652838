"""The surfaces, each with a reader of its own. A reader takes a Stage and the truth of its moment and yields what is wrong."""
import html
import json
import re

from alerts import alerts, calls_of
from harness import run

PAGE = 40  # images whose own pages are read
WORDS = {"unexpected": "Unexpected", "missing": "Missing", "unknown": "Unknown", "in_sync": "In sync"}
EXIT = {"unexpected": 1, "missing": 1, "unknown": 3, "in_sync": 0}
WORST = ["unexpected", "missing", "unknown", "in_sync"]


def differs(what, got, wanted):
    if got != wanted:
        yield f"{what} is {got!r}, not {wanted!r}"


def worst(truth):
    return min((is_.verdict for is_ in truth.values()), key=WORST.index)


def counts(truth):
    return {verdict: sum(is_.verdict == verdict for is_ in truth.values()) for verdict in WORST}


def claim(is_, accounts):
    """What a gauge says of them: a 0 needs proof."""
    return float(len(accounts)) if is_.known or accounts else None


# ---- of the daemon ----

def metrics(stage, truth):
    samples = stage.daemon.metrics()
    known = {}
    named = {}
    for (name, pairs), value in samples.items():
        labels = dict(pairs)
        if name == "share_drift_account_since_timestamp_seconds":
            named.setdefault((labels["image_id"], labels["kind"]), set()).add(labels["account_id"])
        elif "image_id" in labels:
            known[name, labels["image_id"], labels.get("state", "")] = value
    for image in [image for image, is_ in truth.items() if not is_.watched]:
        yield from differs(f"{image}: series", [name for name, labels in samples if ("image_id", image) in labels and "_inventory_" not in name], [])
    truth = {image: is_ for image, is_ in truth.items() if is_.watched}
    yield from differs("share_drift_watched_images", samples.get(("share_drift_watched_images", frozenset())), len(truth))
    many = sum(len(is_.unexpected) + len(is_.missing) for is_ in truth.values()) > 200
    for image, is_ in truth.items():
        yield from differs(f"{image}: state", [s for n, i, s in known if n == "share_drift_image_state" and i == image], [is_.state])
        unexpected = known.get(("share_drift_unexpected_accounts", image, ""))
        if is_.canary:
            yield from differs(f"{image}: canary", known.get(("share_drift_canary_drift_open", image, "")), float(bool(is_.unexpected)))
        else:
            yield from differs(f"{image}: unexpected", unexpected, claim(is_, is_.unexpected))
        yield from differs(f"{image}: missing", known.get(("share_drift_missing_accounts", image, "")), claim(is_, is_.missing))
        if not many and not is_.canary:
            yield from differs(f"{image}: named unexpected", named.get((image, "unexpected"), set()), set(is_.unexpected))
            yield from differs(f"{image}: named missing", named.get((image, "missing"), set()), set(is_.missing))


def images_json(images, truth):
    yield from differs("images", {image["image_id"] for image in images}, set(truth))
    for image in images:
        is_ = truth[image["image_id"]]
        yield from differs(f"{image['image_id']}: verdict", image["verdict"], is_.verdict)
        yield from differs(f"{image['image_id']}: watched", image["unwatched_since"] is None, is_.watched)
        for kind, wanted in (("unexpected", is_.unexpected), ("missing", is_.missing)):
            yield from differs(f"{image['image_id']}: {kind}", {d["account_id"] for d in image["drift"] if d["kind"] == kind}, set(wanted))


def api(stage, truth):
    yield from images_json(stage.data("/api/v1/images"), truth)
    drift = {(d["image_id"], d["kind"], d["account_id"]) for d in stage.data("/api/v1/drift")}
    wanted = {(image, kind, account) for image, is_ in truth.items()
              for kind, accounts in (("unexpected", is_.unexpected), ("missing", is_.missing)) for account in accounts}
    yield from differs("/api/v1/drift", drift, wanted)


def page(stage, truth, script):
    """As a browser shows it."""
    seen = stage.browse("/", script)
    yield from differs("headline", seen["headline"], stage.scene.headline)
    yield from differs("title", seen["title"], f"{stage.scene.headline} - Share drift")
    yield from differs("tiles", seen["tiles"], counts(truth))
    yield from differs("rows", {row["id"] for row in seen["rows"]}, set(truth))
    yield from differs("order", [WORST.index(row["verdict"]) for row in seen["rows"]],
                       sorted(WORST.index(row["verdict"]) for row in seen["rows"]))
    for row in seen["rows"]:
        is_ = truth[row["id"]]
        yield from differs(f"{row['id']}: verdict", (row["verdict"], row["badge"]), (is_.verdict, WORDS[is_.verdict]))
        for kind, wanted in (("unexpected", is_.unexpected), ("missing", is_.missing)):
            yield from differs(f"{row['id']}: {kind}", set(row[kind]), set(wanted))
    yield from (f"the browser complains: {complaint}" for complaint in seen["complaints"])


def page_without_script(stage, truth):
    yield from page(stage, truth, False)


def page_with_script(stage, truth):
    yield from page(stage, truth, True)


def page_of_image(stage, truth):
    for image, is_ in list(truth.items())[:PAGE]:
        status, _, body = stage.daemon.http(f"/images/{image}")
        text = body.decode()
        yield from differs(f"{image}: status", status, 200)
        yield from differs(f"{image}: badge", re.findall(r'class="badge">([^<]*)<', text), [WORDS[is_.verdict]])
        for kind, wanted in (("unexpected", is_.unexpected), ("missing", is_.missing)):
            rows = re.findall(rf'<tr class="{kind}">.*?<code>(\d+)</code>', text)
            yield from differs(f"{image}: {kind}", sorted(rows), sorted(wanted))
        calls = [html.unescape(re.sub(r"</?span>", "", call)) for call in re.findall(r"<code>(<span>aliyun .*?)</code>", text)]
        yield from differs(f"{image}: calls", set(calls), calls_of(stage, {image: is_}))
        runbook = re.findall("<h3>Runbook (.*?)</h3>", text)
        yield from differs(f"{image}: runbook", bool(runbook), is_.verdict != "in_sync")
        yield from differs(f"{image}: it is about the watch", runbook == ["ShareDriftUnwatchedWithDrift"], not is_.watched)
    seen = stage.browse(f"/images/{next(iter(truth))}", script=True, only=True)
    yield from (f"the browser complains: {complaint}" for complaint in seen["complaints"])


def history(stage, truth):
    done = run("history", f"--storage.path={stage.daemon.directory / (stage.daemon.name + '.db')}", "--format=json", "--limit=0")
    yield from differs("exit", done[0], 0)
    open_now, left = set(), set()
    for event in map(json.loads, done[1].splitlines()):
        key = (event.get("image_id"), event.get("kind"), event.get("account_id"))
        if event["event"] == "drift_opened":
            open_now.add(key)
            left.discard(key)
        elif event["event"] == "drift_closed":
            open_now.discard(key)
            if event["reason"] == "unwatched":
                left.add(key)
    wanted = {(image, kind, account) for image, is_ in truth.items() if not is_.canary
              for kind, accounts in (("unexpected", is_.unexpected), ("missing", is_.missing)) for account in accounts}
    watched = {key for key in wanted if truth[key[0]].watched}
    yield from differs("what opened and did not close", open_now, watched)
    yield from differs("what was open when it left the watch", left, wanted - watched)


def names(stage, truth):
    """A name that only repeats the id is not told beside it."""
    said = {"the page": stage.daemon.http("/")[2].decode(), "check": stage.command("check")[1], "plan": stage.command("plan")[1],
            "the log": stage.daemon.output()}
    said |= {f"the page of {image}": stage.daemon.http(f"/images/{image}")[2].decode() for image in list(truth)[:PAGE]}
    for where, text in said.items():
        text = re.sub("<[^>]*>", " ", text) if "page" in where else text
        for name in [*list(truth)[:PAGE], *{account for is_ in truth.values() for account in is_.unexpected}]:
            twice = re.search(rf"(?<![\w.-]){re.escape(name)}\s*[( ]\s*{re.escape(name)}(?![\w.-])", text)
            yield from differs(f"{where}: {name}", twice and twice[0], None)


# ---- of one fresh poll ----

def check_table(stage, truth):
    code, out, err = stage.command("check")
    yield from differs("exit", code, EXIT[worst(truth)])
    lines = out.splitlines()
    for image, is_ in stage.scene.truth.items():
        if not is_.watched and "ignore:" not in stage.daemon.config.read_text():
            yield from differs(f"{image}: not watched", [line for line in lines if re.search(rf" not watched: {image}\b", line)] != [], True)
    for image, is_ in truth.items():
        row = [line for line in lines if re.match(rf"{re.escape(image)}( |$)", line) and ":" not in line.split("  ")[0]]
        yield from differs(f"{image}: rows", len(row), 1)
        if row:
            yield from differs(f"{image}: verdict", f" {is_.verdict.replace('_', ' ')} " in row[0], True)
        told = {account for account in re.findall(r"\d{16}", " ".join(line for line in lines if line.startswith(f"{image} ") or
                                                                     line.startswith(f"{image}:")))}
        if not is_.canary:
            yield from differs(f"{image}: accounts", told, {*is_.unexpected, *is_.missing})
    yield from (f"wrote to stderr: {err}" for _ in [0] if err.strip())


def check_json(stage, truth):
    code, out, _ = stage.command("check", "--format=json")
    report = json.loads(out)
    yield from differs("exit", code, EXIT[worst(truth)])
    yield from differs("verdict", report["verdict"], worst(truth))
    yield from images_json(report["images"], truth)


def check_sarif(stage, truth):
    code, out, _ = stage.command("check", "--format=sarif")
    yield from differs("exit", code, EXIT[worst(truth)])
    found = {}
    for result in json.loads(out)["runs"][0]["results"]:
        if "suppressions" not in result:
            rule, image, account = next(iter(result["partialFingerprints"].values())).split("/")
            found.setdefault(image, set()).add((rule, account))
    for image, is_ in truth.items():
        wanted = set() if is_.canary else {("unexpected-account", a) for a in is_.unexpected}
        wanted |= {("missing-account", a) for a in is_.missing} | ({("could-not-tell", "")} if is_.verdict == "unknown" else set())
        yield from differs(f"{image}: results", found.get(image, set()), wanted)


def check_prometheus(stage, truth):
    code, out, _ = stage.command("check", "--format=prometheus")
    yield from differs("exit", code, EXIT[worst(truth)])
    gauges = dict(re.findall(r'^share_drift_unexpected_accounts\{image_id="([^"]+)"\} (\S+)$', out, re.M))
    for image, is_ in truth.items():
        if not is_.canary:
            value = claim(is_, is_.unexpected)
            yield from differs(f"{image}: unexpected", gauges.get(image), None if value is None else f"{value:.0f}")


def plan(stage, truth):
    code, out, _ = stage.command("plan")
    yield from differs("exit", code, EXIT[worst(truth)])
    yield from differs("calls", {line for line in out.splitlines() if line.startswith("aliyun ")}, calls_of(stage, truth))


OF_DAEMON = [metrics, api, page_without_script, page_with_script, page_of_image, history, names, alerts]
OF_POLL = [check_table, check_json, check_sarif, check_prometheus, plan]
