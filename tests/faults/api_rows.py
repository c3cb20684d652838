"""The API lies, breaks and refuses: faults of the simulator."""
from harness import Daemon, Failed, wait_for, workspace
from rows import blind, config, place, proven

# (name, fault, states, reasons)
API = [
    ("throttled for ever", dict(kind="throttle"), ["unreachable"], ["throttled"]),
    ("throttled with HTTP 429 and a hint", dict(kind="throttle", status=429, retry_after_ms=300), ["unreachable"], ["throttled"]),
    ("HTTP 500", dict(kind="server_error"), ["unreachable"], ["server_error"]),
    ("HTML page with 502", dict(kind="html"), ["unreachable"], ["server_error"]),
    ("HTML page with 200", dict(kind="html", status=200), ["incomplete"], ["protocol"]),
    ("redirect 302", dict(kind="redirect"), ["incomplete"], ["protocol"]),
    ("empty body", dict(kind="empty_body"), ["incomplete"], ["bad_payload", "protocol"]),
    ("reset in the middle", dict(kind="reset", bytes=100), ["unreachable"], ["reset", "timeout"]),  # its retry may run out of time
    ("slow drip", dict(kind="drip"), ["unreachable"], ["timeout"]),
    ("endless body", dict(kind="endless"), ["unreachable", "incomplete"], ["timeout", "too_large"]),
    ("huge body", dict(kind="huge", mb=5), ["incomplete"], ["too_large"]),
    ("cut body", dict(kind="cut"), ["unreachable", "incomplete"], ["reset", "protocol", "bad_payload", "timeout"]),
    ("gzip although not asked", dict(kind="gzip"), ["incomplete"], ["protocol"]),
    ("no answer within the deadline", dict(kind="latency", ms=5000), ["unreachable"], ["timeout"]),
    ("TotalCount too high", dict(kind="total_count", delta=3), ["incomplete"], ["count_mismatch"]),
    ("TotalCount too low", dict(kind="total_count", delta=-1), ["incomplete"], ["count_mismatch"]),
    ("TotalCount missing", dict(kind="total_form", form="omit"), ["incomplete"], ["count_mismatch", "bad_payload"]),
    ("Accounts missing", dict(kind="accounts", shape="missing"), ["incomplete"], ["count_mismatch"]),
    ("Accounts is text", dict(kind="accounts", shape="text"), ["incomplete"], ["bad_payload", "bad_row"]),
    ("a row that means nothing", dict(kind="garbage_rows", form="letters"), ["incomplete"], ["bad_row"]),
    ("echo of another image", dict(kind="echo", image_id="m-other"), ["incomplete"], ["echo_mismatch"]),
    ("echo of another page", dict(kind="echo", page_number=7), ["incomplete"], ["echo_mismatch"]),
    ("smaller pages than asked", dict(kind="small_pages", size=1), ["incomplete"], ["echo_mismatch"]),
    ("duplicate JSON keys", dict(kind="duplicate_keys"), ["incomplete"], ["bad_payload"]),
    ("deep JSON", dict(kind="deep"), ["incomplete"], ["bad_payload", "too_large"]),
    ("invalid UTF-8", dict(kind="bad_text", form="invalid_utf8"), ["incomplete"], ["bad_payload"]),
    ("error code on HTTP 200", dict(kind="code_on_success"), ["forbidden"], ["forbidden"]),
    ("NoPermission", dict(kind="error", code="NoPermission"), ["forbidden"], ["forbidden"]),
    ("code with a trailing tab", dict(kind="error", code="NoPermission\t"), ["forbidden"], ["forbidden"]),
    ("ens.interface.error", dict(kind="error", code="ens.interface.error"), ["unreachable"], ["server_error"]),
    ("signature refused", dict(kind="error", code="SignatureDoesNotMatch"), ["forbidden"], ["key_rejected"]),
    ("token expired", dict(kind="error", code="InvalidSecurityToken.Expired"), ["forbidden"], ["key_rejected"]),
]
# Answers that look odd and are right all the same.
HARMLESS = [
    ("NUL in a string", dict(kind="bad_text", form="nul", where="request_id")),
    ("bidi controls in a string", dict(kind="bad_text", form="bidi", where="request_id")),
    ("escape sequences in a string", dict(kind="bad_text", form="escape", where="request_id")),
    ("rows as strings", dict(kind="rows", form="strings")),
    ("rows as numbers", dict(kind="rows", form="numbers")),
    ("API clock an hour ahead", dict(kind="clock_skew", seconds=3600)),
    ("API clock an hour behind", dict(kind="clock_skew", seconds=-3600)),
]


def api(table):
    with workspace() as (directory, _):
        for number, (name, fault, states, reasons) in enumerate(API):
            def run(fault=fault, states=states, reasons=reasons, number=number):
                with place(directory, f"api{number}") as (own, simulator):
                    daemon = Daemon(own, config(simulator.url))
                    try:
                        wait_for("the truth", lambda: proven(daemon))
                        simulator.control("faults", **fault)
                        seen = blind(daemon, states, reasons)
                        simulator.control("faults/clear")
                        wait_for("recovery", lambda: proven(daemon))
                        # One line for one cause: all images of the profile failed, or one of them.
                        if not daemon.events("profile_recovered") and not daemon.events("listing_recovered"):
                            raise Failed("no event tells of the recovery")
                        return f"{seen}, recovered"
                    finally:
                        daemon.stop()
            table.row(name, f"{states[0]}/{reasons[0]}, drift stays", run)
        for number, (name, fault) in enumerate(HARMLESS):
            def run(fault=fault, number=number):
                with place(directory, f"odd{number}") as (own, simulator):
                    simulator.control("faults", **fault)
                    daemon = Daemon(own, config(simulator.url))
                    try:
                        wait_for("the truth in spite of it", lambda: proven(daemon))
                        for line in daemon.output().splitlines():
                            if any(ord(c) < 0x20 or 0x202A <= ord(c) <= 0x202E for c in line):
                                raise Failed("a control character reached the log")
                        return "proven"
                    finally:
                        daemon.stop()
            table.row(name, "still proven", run)
        table.run()
