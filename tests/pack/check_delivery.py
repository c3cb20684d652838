#!/usr/bin/env python3
"""Real Alertmanager, sample config: what arrives, what is muted, in every channel. check_delivery.py SOURCE_DIR.

The config is the shipped one; only addresses, secrets and waiting times are replaced.
"""
import email
import email.policy
import json
import pathlib
import re
import socketserver
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import QUICKLY, Alertmanager, Failed, Handler, WebServer, alertmanager_config, fetch, wait_for, workspace  # noqa: E402

IMAGE = {"job": "share-drift", "instance": "mon:10191", "profile": "default", "image_id": "m-example1",
         "image_name": "edge-base", "team": "edge-os", "severity": "page"}
DAEMON = {"job": "share-drift", "instance": "mon:10191"}
FACTS = ["m-example1", "edge-base", "4444444444444444 (lab-west)", "seen since 2026-11-24 10:00:00 UTC", "Certain.",
         "share-drift-exporter plan --image m-example1", "mon:10191", "edge-os",
         "aliyun ens ModifyImageSharePermission --ImageId m-example1 --endpoint ens.aliyuncs.com --RemoveAccounts 4444444444444444",
         "runbooks/ShareDriftUnexpectedAccount.md"]


class Sink(WebServer):
    """Every HTTP channel: Alertmanager's webhooks, Slack, WeCom."""

    def __init__(self):
        received = self.received = []

        class Channel(Handler):
            def do_GET(self):
                self.answer(200, b'{"errcode": 0, "access_token": "t"}', "application/json")

            def do_POST(self):
                received.append((urllib.parse.urlsplit(self.path).path, json.loads(self.body())))
                self.answer(200, b'{"errcode": 0, "ok": true}', "application/json")
        super().__init__(Channel)

    def alerts(self, name, status="firing"):
        return [(path, alert) for path, body in list(self.received) for alert in body.get("alerts", [])
                if alert["labels"]["alertname"] == name and alert["status"] == status]


class MailSink(socketserver.ThreadingTCPServer):
    """As much of SMTP as it takes to be given a mail."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        mails = self.mails = []

        class Handler(socketserver.StreamRequestHandler):
            timeout = 20

            def handle(self):
                self.wfile.write(b"220 sink\r\n")
                for line in self.rfile:
                    if line.upper().startswith(b"DATA"):
                        self.wfile.write(b"354 go on\r\n")
                        data = b""
                        for part in self.rfile:
                            if part == b".\r\n":
                                break
                            data += part
                        mails.append(email.message_from_bytes(data, policy=email.policy.default))
                    elif line.upper().startswith(b"QUIT"):
                        self.wfile.write(b"221 bye\r\n")
                        return
                    self.wfile.write(b"250 ok\r\n")
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


def sample_config(directory, sink, mail, channels):
    """The shipped config with local addresses and short waits; with `channels`, every page goes to each channel."""
    secret = directory / "slack-url"
    secret.write_text(sink.url + "/slack")
    text = alertmanager_config(sink, {
        r"smtp_smarthost: .*": f"smtp_smarthost: 127.0.0.1:{mail.server_address[1]}",
        r"wechat_api_url: .*": f"wechat_api_url: {sink.url}/wecom/",
        r"api_url_file: .*": f"api_url_file: {secret}",
        **QUICKLY,
    })
    if channels:
        copies = "".join(f"    - {{matchers: [channel = {c}], receiver: share-drift-{c}}}\n" for c in channels)
        text = text.replace("  routes:\n", "  routes:\n" + copies)
    return text


def post(alertmanager, *alerts):
    """Each alert: (name, labels) or (name, labels, annotations); ended ones have `ends`."""
    body = []
    for name, labels, *rest in alerts:
        body.append({"labels": {"alertname": name, **labels}, "annotations": (rest or [{}])[0],
                     "startsAt": "2026-11-24T10:00:05Z", **({"endsAt": rest[1]} if len(rest) > 1 else {})})
    status, _, answer = fetch(alertmanager.url + "/api/v2/alerts", json.dumps(body).encode(), "POST",
                              {"Content-Type": "application/json"})
    if status != 200:
        raise Failed(f"Alertmanager refused alerts: {status} {answer}")


def now(offset=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


PAGE = {"summary": "An image is shared with an unexpected account",
        "description": "Image m-example1 (edge-base) is shared with 1 unexpected account.",
        "accounts": "4444444444444444 (lab-west) seen since 2026-11-24 10:00:00 UTC", "certainty": "Certain.",
        "action": "`share-drift-exporter plan --image m-example1` prints the calls that take the share away.",
        "calls": "aliyun ens ModifyImageSharePermission --ImageId m-example1 --endpoint ens.aliyuncs.com --RemoveAccounts 4444444444444444",
        "runbook_url": "https://docs.example.com/share-drift/runbooks/ShareDriftUnexpectedAccount.md", "dashboard_url": "https://grafana.example.com/d/share-drift-image"}


def check_channels(directory, keep):
    """A page and its end reach every channel with the facts a reader needs."""
    sink, mail = keep(Sink()), keep(MailSink())
    channels = ["email", "slack", "wecom", "dingtalk"]
    alertmanager = keep(Alertmanager(directory, sample_config(directory, sink, mail, channels), "channels"))
    far = now(3600)
    pages = [("ShareDriftUnexpectedAccount", {**IMAGE, "channel": c}, PAGE) for c in channels]
    post(alertmanager, *[(*page, far) for page in pages])

    def lacks(text, what, facts=FACTS):
        missing = [fact for fact in facts if fact not in text]
        if missing:
            raise Failed(f"{what} lacks {missing}: {text}")

    def posted(path):
        return [body for p, body in list(sink.received) if p.startswith(path)]
    wait_for("the mail", lambda: mail.mails)
    parts = {p.get_content_type(): p.get_content() for p in mail.mails[0].walk() if not p.is_multipart()}
    if mail.mails[0]["Subject"] != "[PAGE] edge-os: An image is shared with an unexpected account: edge-base (m-example1)":
        raise Failed(f"subject: {mail.mails[0]['Subject']}")
    lacks(parts["text/plain"], "the mail's text")
    lacks(parts["text/html"], "the mail's HTML")
    slack = wait_for("Slack", lambda: posted("/slack"))[0]
    lacks(json.dumps(slack), "the Slack message")
    wecom = wait_for("WeCom", lambda: posted("/wecom/message/send"))[0]
    lacks(wecom["text"]["content"], "the WeCom message", FACTS[:4] + FACTS[5:7])
    bridge = wait_for("the DingTalk bridge", lambda: posted("/dingtalk/share-drift/send"))[0]
    lacks(json.dumps(bridge), "the bridge's input")
    post(alertmanager, *[(*page, now(-1)) for page in pages])
    wait_for("the end in Slack", lambda: any("RESOLVED" in json.dumps(b) for b in posted("/slack")))
    wait_for("the end in WeCom", lambda: any("RESOLVED" in json.dumps(b) for b in posted("/wecom/message/send")))
    wait_for("the end by mail", lambda: any("[RESOLVED]" in m["Subject"] for m in mail.mails))


def check_cluster(directory, keep):
    """In a cluster an exporter is NAMESPACE/POD: a page says how to get there, and shows no address that leads nowhere."""
    sink, mail = keep(Sink()), keep(MailSink())
    alertmanager = keep(Alertmanager(directory, sample_config(directory, sink, mail, ["email", "slack"]), "cluster"))
    post(alertmanager, *[("ShareDriftUnexpectedAccount", {**IMAGE, "instance": "watch/exporter-0", "channel": c}, PAGE, now(3600))
                         for c in ("email", "slack")])
    wait_for("the mail", lambda: mail.mails)
    slack = wait_for("Slack", lambda: [body for path, body in list(sink.received) if path == "/slack"])[0]
    for text in [part.get_content() for part in mail.mails[0].walk() if not part.is_multipart()] + [slack["attachments"][0]["text"]]:
        if "Its page: http://127.0.0.1:10191/images/m-example1 after kubectl port-forward -n watch exporter-0 10191" not in text or "by kubectl exec" not in text:
            raise Failed(f"no way to the pod: {text}")


HOSTILE = "<!channel> R&D <https://evil.example|all is well> [all is well](https://evil.example) <a href='https://evil.example'>fine</a> <@all> **`"
IN_SLACK = "&lt;!channel&gt; R&amp;D &lt;https://evil.example|all is well&gt; [all is well](https://evil.example)"
IN_WECOM = "＜!channel＞ R&D ＜https://evil.example|all is well＞ ［all is well］(https://evil.example) ＜a href='https://evil.example'＞fine＜/a＞ ＜＠all＞ ＊＊'"


def check_escapes(directory, keep):
    """What names hold is text in Slack and WeCom: nobody is called, nothing is a link. These templates are those of the others but for that."""
    sink, mail = keep(Sink()), keep(MailSink())
    alertmanager = keep(Alertmanager(directory, sample_config(directory, sink, mail, ["slack", "wecom"]), "escapes"))
    labels = {**IMAGE, **{name: HOSTILE for name in ("image_name", "team", "profile", "severity", "instance")}}
    facts = {name: f"{name} {HOSTILE}" for name in PAGE}
    pages = [("ShareDriftUnexpectedAccount", {**labels, "image_id": f"m-{n}", "channel": channel}, facts)
             for n in range(3) for channel in ("slack", "wecom")]

    def messages(path, count):
        return wait_for(path, lambda: (all_of := [b for p, b in list(sink.received) if p == path])[count - 1:] and all_of)
    for count, moment in ((1, now(3600)), (2, now(-1))):
        post(alertmanager, *[(*page, moment) for page in pages])
        slack, wecom = messages("/slack", count), messages("/wecom/message/send", count)
    told = [text for body in slack for a in body["attachments"] for text in (a["title"], a["text"], a["fallback"])]
    for text in told:
        if "<" in text or ">" in text or re.search("&(?!amp;|lt;|gt;)", text):
            raise Failed(f"not escaped: {text}")
    if not any(f"description {IN_SLACK}" in text for text in told):
        raise Failed(f"not as written: {told}")
    told = [body["text"]["content"] for body in wecom]
    for text in told:
        if re.search(r"[<>\[\]@*`]", re.sub(r"^\[([^\]]*)\]", r"\1", text)):  # but for the brackets around the severity
            raise Failed(f"not escaped: {text}")
    if not any(f"description {IN_WECOM}" in text for text in told) or not any(f"Ended: summary {IN_WECOM}" in text for text in told):
        raise Failed(f"not as written: {told}")

    def templates(name):
        text = (ROOT / "dashboards/alertmanager/templates" / name).read_text()
        return dict(re.findall(r'\{\{ define "(sharedrift\.[\w.]+)" (.*?)(?=\n\n\{\{(?:/\*| define)|\Z)', text, re.S))
    plain = templates("share-drift.tmpl")
    for escaped, variant in ((templates("slack.tmpl"), "slack."), (plain, "short.")):
        for name, text in escaped.items():
            if not name.startswith(f"sharedrift.{variant}") or name.endswith(".value"):
                continue
            text = re.sub(rf'template "sharedrift\.{variant}value" (?:\((.*?)\)|(\S+))', r"\1\2", text).replace(f"sharedrift.{variant}", "sharedrift.")
            if text.strip() != plain[name.replace(variant, "")].strip():
                raise Failed(f"{name} says something else than in share-drift.tmpl")


def check_inhibition(directory, keep):
    """A dead exporter mutes what follows from it - and never the page."""
    sink, mail = keep(Sink()), keep(MailSink())
    alertmanager = keep(Alertmanager(directory, sample_config(directory, sink, mail, []), "inhibition"))
    far = now(3600)
    post(alertmanager, ("ShareDriftExporterDown", {**DAEMON, "severity": "critical"}, {}, far),
         ("ShareDriftPermissionLost", {"job": "share-drift", "instance": "mon2:10191", "profile": "default", "severity": "critical"}, {}, far))
    for name in ("ShareDriftExporterDown", "ShareDriftPermissionLost"):
        wait_for(f"{name} to arrive", lambda name=name: sink.alerts(name))
    massive = {**IMAGE, "image_id": "m-many"}
    post(alertmanager, ("ShareDriftMassShare", {"job": "share-drift", "account_id": "4444444444444444", "severity": "critical"}, {}, far),
         ("ShareDriftMassShareImage", {"job": "share-drift", "instance": "mon:10191", "image_id": "m-many", "severity": "none"}, {}, far),
         ("ShareDriftApiFailing", {"job": "share-drift", "instance": "mon4:10191", "profile": "default", "severity": "critical"}, {}, far))
    for name in ("ShareDriftMassShare", "ShareDriftApiFailing"):
        wait_for(f"{name} to arrive", lambda name=name: sink.alerts(name))
    muted = [("ShareDriftListingStale", {**IMAGE, "severity": "critical"}), ("ShareDriftUnexpectedAccount", massive),
             ("ShareDriftMassShareImage", {"job": "share-drift", "instance": "mon:10191", "image_id": "m-many", "severity": "none"}),
             ("ShareDriftListingStale", {**IMAGE, "instance": "mon4:10191", "severity": "critical"}),
             ("ShareDriftListingIncomplete", {**IMAGE, "instance": "mon4:10191", "severity": "warning"}), ("ShareDriftCanaryDriftMissing", {**IMAGE, "severity": "critical"}),
             ("ShareDriftPermissionLost", {**DAEMON, "profile": "default", "severity": "critical"}),
             *(("ShareDriftInventoryStale", {**DAEMON, "instance": instance, "profile": "default", "severity": "warning"})
               for instance in ("mon:10191", "mon2:10191", "mon4:10191")),
             ("ShareDriftExporterAbsent", {"severity": "critical"}),
             ("ShareDriftListingStale", {**IMAGE, "instance": "mon2:10191", "severity": "critical"}),
             ("ShareDriftApiFailing", {"job": "share-drift", "instance": "mon2:10191", "profile": "default", "severity": "warning"})]
    heard = [("ShareDriftUnexpectedAccount", IMAGE),
             ("ShareDriftListingIncomplete", {**IMAGE, "instance": "mon4:10191", "severity": "critical"}), ("ShareDriftUnexpectedAccountNotRevoked", {**IMAGE, "escalate": "true"}),
             ("ShareDriftRequiredAccountMissing", {**IMAGE, "severity": "warning"}),
             ("ShareDriftMassChangeHeld", {**DAEMON, "severity": "critical"}), ("ShareDriftWatchdog", {"severity": "none"}),
             # another exporter, another profile: not the same cause
             ("ShareDriftListingStale", {**IMAGE, "instance": "mon3:10191", "severity": "critical"}),
             ("ShareDriftInventoryStale", {**DAEMON, "instance": "mon3:10191", "profile": "default", "severity": "warning"}),
             ("ShareDriftApiFailing", {"job": "share-drift", "instance": "mon2:10191", "profile": "other", "severity": "warning"})]
    post(alertmanager, *[(name, labels, {}, far) for name, labels in muted + heard])

    def arrived(name, labels):
        return [path for path, alert in sink.alerts(name) if labels.items() <= alert["labels"].items()]
    for name, labels in heard:
        wait_for(f"{name} {labels['severity']} to arrive", lambda name=name, labels=labels: arrived(name, labels))
    paths = {name: arrived(name, labels)[0] for name, labels in heard}
    expected = {"ShareDriftUnexpectedAccount": "/page-edge-os", "ShareDriftMassChangeHeld": "/page", "ShareDriftUnexpectedAccountNotRevoked": "/escalation",
                "ShareDriftRequiredAccountMissing": "/ticket", "ShareDriftWatchdog": "/heartbeat"}
    if {name: paths[name] for name in expected} != expected:
        raise Failed(f"went elsewhere: {paths}")
    time.sleep(2.5)  # two more flushes: what was muted had its chances
    for name, labels in muted:
        if arrived(name, labels):
            raise Failed(f"{name} {labels} arrived although its cause is known")
    post(alertmanager, ("ShareDriftExporterDown", {**DAEMON, "severity": "critical"}, {}, now(-1)))
    wait_for("PermissionLost once its cause is gone", lambda: arrived("ShareDriftPermissionLost", next(labels for name, labels in muted if name == "ShareDriftPermissionLost")))


def main():
    for check in (check_channels, check_cluster, check_escapes, check_inhibition):
        with workspace() as (directory, keep):
            check(directory, keep)
        print(f"{check.__name__}: {check.__doc__}")


if __name__ == "__main__":
    main()
