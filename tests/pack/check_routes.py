#!/usr/bin/env python3
"""Checks the sample Alertmanager config and its templates with amtool: check_routes.py SOURCE_DIR."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import notification_templates

# labels: the receivers that must get such an alert
ROUTES = [
    ("alertname=ShareDriftUnexpectedAccount severity=page image_id=m-1", "share-drift-page"),
    ("alertname=ShareDriftUnexpectedAccount severity=critical image_id=m-1", "share-drift-page"),
    ("alertname=ShareDriftUnexpectedAccount severity=P1 image_id=m-1", "share-drift-page"),  # unknown: pages
    ("alertname=ShareDriftUnexpectedAccount image_id=m-1", "share-drift-page"),
    ("alertname=ShareDriftUnexpectedAccount severity=page team=edge-os", "share-drift-page-edge-os"),
    ("alertname=ShareDriftUnexpectedAccount severity=page team=other", "share-drift-page"),
    ("alertname=ShareDriftUnexpectedAccount severity=ticket team=edge-os", "share-drift-ticket"),
    ("alertname=ShareDriftUnexpectedAccount severity=info", "share-drift-info"),
    ("alertname=ShareDriftUnexpectedAccountNotRevoked severity=page escalate=true team=edge-os", "share-drift-escalation"),
    ("alertname=ShareDriftUnexpectedAccountNotRevoked severity=info escalate=true", "share-drift-escalation"),
    ("alertname=ShareDriftRequiredAccountMissing severity=warning", "share-drift-ticket"),
    ("alertname=ShareDriftRequiredAccountMissing severity=page team=edge-os", "share-drift-page-edge-os"),
    ("alertname=ShareDriftListingStale severity=critical", "share-drift-page"),
    ("alertname=ShareDriftListingIncomplete severity=warning", "share-drift-ticket"),
    ("alertname=ShareDriftListingIncomplete severity=critical", "share-drift-page"),
    ("alertname=ShareDriftPermissionLost severity=critical profile=default", "share-drift-page"),
    ("alertname=ShareDriftExceptionExpiring severity=info", "share-drift-info"),
    ("alertname=ShareDriftAllowListChanged severity=info", "share-drift-security"),
    ("alertname=ShareDriftExporterDown severity=critical", "share-drift-page"),
    ("alertname=ShareDriftMassShare severity=critical account_id=44", "share-drift-page"),
    ("alertname=ShareDriftMassShareImage severity=none image_id=m-1", "share-drift-nobody"),
    ("alertname=ShareDriftApiFailing severity=critical profile=default", "share-drift-page"),
    ("alertname=ShareDriftWatchdog severity=none", "share-drift-heartbeat"),
]
NEVER_MUTED = ["ShareDriftMassShare", "ShareDriftUnexpectedAccountNotRevoked", "ShareDriftRequiredAccountMissing",
               "ShareDriftMassChangeHeld", "ShareDriftExporterDown", "ShareDriftWatchdog"]


def amtool(*arguments):
    return subprocess.run(["amtool", *map(str, arguments)], capture_output=True, text=True, timeout=1200)


def alert(status, image, name, accounts):
    return {"status": status, "startsAt": "2026-11-24T10:00:00Z", "endsAt": "2026-11-24T11:00:00Z",
            "labels": {"alertname": "ShareDriftUnexpectedAccount", "severity": "page", "image_id": image, "image_name": name,
                       "instance": "mon:10191", "profile": "cn", "team": "edge-os"},
            "annotations": {"summary": "An image is shared", "description": f"Image {image} ({name}) is shared.",
                            "accounts": accounts, "certainty": "Certain.", "action": "Take it away.", "calls": "aliyun ens --RemoveAccounts 44",
                            "runbook_url": "https://docs.example.com/share-drift/runbooks/X.md", "dashboard_url": "https://grafana.example.com/d/share-drift-image"}}


def notification(alerts):
    common = {"alertname": "ShareDriftUnexpectedAccount", "severity": "page"}
    if len(alerts) == 1:
        common = alerts[0]["labels"]
    return {"receiver": "r", "status": "firing" if any(a["status"] == "firing" for a in alerts) else "resolved",
            "alerts": alerts, "groupLabels": {}, "commonLabels": common,
            "commonAnnotations": {"summary": "An image is shared"}, "externalURL": "http://127.0.0.1:9093"}


def render(templates, name, data):
    kind = "html" if name.endswith("html") else "text"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        done = amtool("template", "render", f"--template.glob={templates}/*.tmpl", f"--template.data={file.name}",
                      f"--template.type={kind}", f'--template.text={{{{ template "{name}" . }}}}')
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr}")
    return done.stdout


def check_templates(templates):
    one = notification([alert("firing", "m-1", "edge<b>base", "44 (lab-west) seen since noon\n33 seen since one")])
    mixed = notification([alert("firing", "m-1", "edge-base", "44 (lab-west) seen since noon"),
                          alert("resolved", "m-2", "old-base", "55 (lab-east) seen since noon")])
    ended = notification([alert("resolved", "m-2", "old-base", "55 (lab-east) seen since noon")])
    many = notification([alert("firing", f"m-{i}", "edge-base", "1234567890123456 (lab) seen since noon\n" * 20) for i in range(30)])
    faults = []

    def expect(name, data, *wanted, unwanted=()):
        text = render(templates, name, data)
        faults.extend(f"{name}: lacks {w!r} in {text!r}" for w in wanted if w not in text)
        faults.extend(f"{name}: has {w!r} in {text!r}" for w in ("<no value>", *unwanted) if w in text)
        return text

    facts = ("44 (lab-west) seen since noon\n33 seen since one", "Certain.", "Take it away.", "https://docs.example.com/share-drift/runbooks/X.md",
             "2026-11-24 10:00:00 UTC", "aliyun ens --RemoveAccounts 44", "mon:10191", "edge-os")
    expect("sharedrift.subject", one, "[PAGE] edge-os: An image is shared: edge<b>base (m-1)")
    expect("sharedrift.subject", mixed, "[PAGE] An image is shared (1 firing, 1 resolved)")
    expect("sharedrift.subject", ended, "[RESOLVED] edge-os: An image is shared: old-base (m-2)")
    expect("sharedrift.text", one, *facts, "m-1 (edge<b>base)")
    expect("sharedrift.text", mixed, "44 (lab-west)", "Resolved: ShareDriftUnexpectedAccount: old-base (m-2)", "55 (lab-east)",
           "to 2026-11-24 11:00:00 UTC")
    expect("sharedrift.text", one, "Seen by: mon:10191, profile cn. Team: edge-os. Run commands there, as root\nIts page: http://mon:10191/images/m-1\nFiring since")
    expect("sharedrift.html", one, "Its page: http://mon:10191/images/m-1</p>")
    expect("sharedrift.text", ended, "Resolved:", "55 (lab-east)", "share-drift-exporter history m-2", unwanted=("What to do", "aliyun"))
    expect("sharedrift.html", one, *facts, "edge&lt;b&gt;base", unwanted=("edge<b>base",))
    expect("sharedrift.link", one, "https://grafana.example.com/d/share-drift-image")
    expect("sharedrift.short", one, "44 (lab-west)", "Next, on mon:10191: share-drift-exporter plan --image m-1")
    expect("sharedrift.short", ended, "Ended: An image is shared: old-base (m-2)\nAccounts it was about:\n55 (lab-east)",
           unwanted=("plan --image", "check --image", "is shared."))
    nameless = notification([alert("firing", "m-1", "edge-base", "")])
    expect("sharedrift.short", nameless, "Next, on mon:10191: share-drift-exporter check --image m-1", unwanted=("plan --image",))
    whole = notification([{**alert("firing", "m-1", "", ""), "labels": {"alertname": "ShareDriftExporterDown", "instance": "mon:10191"}}])
    expect("sharedrift.text", whole, "Seen by: mon:10191. Run commands there, as root\nFiring since", unwanted=("Its page",))
    configs = notification([{**whole["alerts"][0], "labels": {"alertname": "ShareDriftAllowListChanged", "instance": "mon:10191", "sha256": f"{i:064}"},
                             "annotations": {**whole["alerts"][0]["annotations"], "description": f"mon:10191 took a new config. It was seen first at 2026-11-24 10:00:00 UTC. Its SHA-256: {i:064}."}}
                            for i in range(9)])
    for name in ("sharedrift.text", "sharedrift.html", "sharedrift.slack.text", "ding.link.content"):
        expect(name, configs, "9 fire in all. They are in Alertmanager.", f"{1:064}.", unwanted=("check lists the images",))
    back = notification([{**whole["alerts"][0], "status": "resolved", "annotations": {}}])
    expect("sharedrift.text", back, "Resolved: ShareDriftExporterDown on mon:10191\nThis does not say how it ended. That does: share-drift-exporter history\nFrom 2026-")
    for name in ("sharedrift.text", "sharedrift.html", "sharedrift.slack.text", "sharedrift.short", "ding.link.content"):
        expect(name, back, "share-drift-exporter history", "The blind time is longer", "ActionTrail")
        expect(name, ended, "share-drift-exporter history m-2", unwanted=("The blind time",))
    if len(expect("sharedrift.short", many, "and 30 in all").encode()) > 2048:
        faults.append("sharedrift.short: longer than WeCom takes")
    mixed_severities = notification([alert("firing", f"m-{i}", "edge-base", "44") for i in range(4)])
    for one_alert, severity in zip(mixed_severities["alerts"], ["info", "page", "critical", "ticket"]):
        one_alert["labels"]["severity"] = severity
    del mixed_severities["commonLabels"]["severity"]
    expect("sharedrift.subject", mixed_severities, "[CRITICAL] An image is shared (4 firing, 0 resolved)")
    del mixed_severities["alerts"][2]
    expect("sharedrift.subject", mixed_severities, "[PAGE] An image is shared (3 firing, 0 resolved)")
    for name in ("sharedrift.text", "sharedrift.html", "sharedrift.slack.text", "ding.link.content"):
        text = expect(name, many, "30 fire in all")
        if len(text) > 3000:
            faults.append(f"{name}: {len(text)} characters about 30 images")
    crowd = [alert(status, f"m-5s7{i:020}", "an-image-with-a-long-name", "1234567890123456 (former-contractor) seen since 2026-11-24 10:00:00 UTC\n" * 5)
             for i in range(300) for status in ("firing", "resolved")]
    for one_alert in crowd:
        one_alert["annotations"].update(description="d" * 280, certainty="c" * 120, action="a" * 430, calls=("c" * 160 + "\n") * 3)
    for name in ("sharedrift.text", "sharedrift.html", "sharedrift.slack.text", "ding.link.content"):
        text = expect(name, notification(crowd), "300 fire in all", "300 ended in all", "Resolved: ", "m-5s7" + "0" * 20)
        if len(text) > 3000:
            faults.append(f"{name}: {len(text)} characters about 300 images that fire and 300 that ended")
    blind = [{**one_alert, "labels": {**one_alert["labels"], "alertname": "ShareDriftListingStale"}} for one_alert in crowd[:8]]
    for count in (2, 4, 8):
        for name in ("sharedrift.text", "sharedrift.html", "sharedrift.slack.text", "ding.link.content"):
            if len(text := render(templates, name, notification(blind[:count]))) > 3000:
                faults.append(f"{name}: {len(text)} characters about {count} alerts that nobody could tell, half of which ended")
    if len(render(templates, "sharedrift.short", notification(crowd)).encode()) > 2048:
        faults.append("sharedrift.short: longer than WeCom takes, where many fire and many ended")
    expect("ding.link.title", one, "[1] An image is shared")
    expect("ding.link.content", one, *facts, "- Seen by mon:10191, profile cn, team edge-os. Run commands there, as root\n- Its page: http://mon:10191/images/m-1\n- Firing since",
           "- Dashboard: https://grafana.example.com/d/share-drift-image")
    podded = json.loads(json.dumps(one))
    podded["alerts"][0]["labels"].update(instance="watch/exporter-0", namespace="watch", pod="exporter-0")
    expect("ding.link.content", podded, "Run commands there, by kubectl exec\n- Its page: http://127.0.0.1:10191/images/m-1 after kubectl port-forward -n watch exporter-0 10191\n- Firing")
    expect("ding.link.content", whole, "- Seen by mon:10191. Run commands there, as root\n- Firing since", unwanted=("Its page",))
    expect("ding.link.content", mixed, "Resolved: ShareDriftUnexpectedAccount m-2, from 2026-11-24 10:00:00 UTC to 2026-11-24 11:00:00 UTC")
    hostile = "[fine](https://evil.example) ![](https://evil.example/seen.png) <font color=red> <@all> @all **`"
    marked = notification([{**alert(status, "m-1", hostile, f"44 {hostile}\n```\n"), "annotations": {key: f"{key} {hostile}" for key in one["alerts"][0]["annotations"]}}
                           for status in ("firing", "firing", "resolved")])
    marked["commonAnnotations"]["summary"] = hostile
    text = expect("ding.link.content", marked, "［fine］(https://evil.example) !［］(https://evil.example/seen.png) ＜font color=red＞ ＜＠all＞ ＠all ＊＊'")
    for own in ("### [2] ", "**How sure:**", "**What to do:**", "```\n"):
        text = text.replace(own, "")
    faults += [f"ding.link.content: {mark!r} in {text!r}" for mark in "<>[]@*`" if mark in text]
    return faults


def check_inhibition(config, alerts):
    """No rule may mute what is a fact, or name an alert that does not exist."""
    faults = []
    rules = config[config.index("inhibit_rules:"):config.index("receivers:")]
    targets = re.findall(r'target_matchers:\s*\n?\s*(?:- |\[)alertname =~? "?([^"\],\n]+)', rules)
    if len(targets) != rules.count("target_matchers:"):
        faults.append("an inhibit rule is not laid out as this check reads it")
    # The page about an image is muted by the one alert that says that another page names the same accounts, and for that image only.
    mass = "[alertname = ShareDriftMassShareImage]\n    target_matchers: [alertname = ShareDriftUnexpectedAccount]\n    equal: [cluster, namespace, job, instance, image_id]"
    if rules.count("ShareDriftUnexpectedAccount]") != 1 or mass not in rules:
        faults.append("an inhibit rule mutes ShareDriftUnexpectedAccount for another reason than ShareDriftMassShareImage")
    for target in targets:
        faults += [f"an inhibit rule mutes {name}" for name in NEVER_MUTED if re.fullmatch(target, name)]
    for pattern in targets + re.findall(r'alertname =~? "?([^"\],\n]+)', config):
        names = re.fullmatch(r"(\w+)(?:\(([\w|]+)\))?", pattern)
        for tail in (names.group(2) or "").split("|"):
            if names.group(1) + tail not in alerts:
                faults.append(f"alertmanager.yml names {names.group(1) + tail}, which is no alert")
    return faults


def main():
    root = pathlib.Path(sys.argv[1])
    shipped = root / "config" / "alertmanager.yml"
    text = shipped.read_text()
    faults = [f"alertmanager.yml: no file is {glob}" for glob in re.findall(r"^  - (\S+\.tmpl)", text, re.MULTILINE)
              if not list(shipped.parent.glob(glob))]  # amtool does not mind
    howto = (root / "dashboards" / "README.md").read_text()
    howto = howto[howto.index("## 2."):howto.index("## 3.")]
    faults += [f"dashboards/README.md does not have it set where rules are installed: {what}"
               for what in ("s|https://docs.example.com/share-drift|", "s|https://grafana.example.com|", "! grep -n 'url:.*example\\.com'") if what not in howto]
    done = amtool("check-config", shipped)
    if done.returncode == 0 or "replace-me" not in done.stdout + done.stderr:
        faults.append(f"taken with channels that reach nobody: {done.stdout}{done.stderr}")
    with tempfile.TemporaryDirectory() as folder:
        faults += check_filled_in(root, text, pathlib.Path(folder) / "alertmanager.yml")
    with tempfile.TemporaryDirectory() as folder:
        faults += check_templates(notification_templates.for_amtool(root, pathlib.Path(folder)))
    foreign = re.findall(r"\b(?:match|reReplaceAll|safeHtml|stringSlice)\b", (root / "dashboards/alertmanager/dingtalk.tmpl").read_text())
    faults += [f"dingtalk.tmpl: the bridge does not know {function}" for function in foreign]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(ROUTES)} routes, the inhibit rules and all templates hold")


def check_filled_in(root, text, path):
    """The file as its user makes it."""
    path.write_text(text.replace("replace-me:", "https:").replace("../dashboards", str(root.resolve() / "dashboards")))
    done = amtool("check-config", path)
    if done.returncode != 0:
        return [done.stdout + done.stderr]
    faults = []
    for labels, receivers in ROUTES:
        done = amtool("config", "routes", "test", f"--config.file={path}", f"--verify.receivers={receivers}", *labels.split())
        if done.returncode != 0:
            faults.append(f"{labels}: {done.stdout.strip()} {done.stderr.strip()}, not {receivers}")
    if amtool("config", "routes", "test", f"--config.file={path}", "--verify.receivers=share-drift-page", "severity=info").returncode == 0:
        faults.append("amtool does not tell receivers apart")
    alerts = re.findall(r"^      - alert: (\w+)$", (root / "dashboards/alerts/share-drift.rules.yml").read_text(), re.MULTILINE)
    return faults + check_inhibition(text, alerts)


if __name__ == "__main__":
    main()
