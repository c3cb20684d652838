#!/usr/bin/env python3
"""./dev demo --keep as a user meets it: the story, the addresses that it leaves, a notification that comes later, and Ctrl-C."""
import pathlib
import re
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Failed, fetch  # noqa: E402

LAST_WORDS = "Ctrl-C ends everything."


def read_until(demo, words):
    """What the demo prints up to a line with the words, printed again here."""
    text = ""
    for line in demo.stdout:
        print(line, end="", flush=True)
        text += line
        if words in line:
            return text
    raise Failed(f"the demo ended without {words!r}")


def use(demo, text):
    """Follows what the demo says can be done."""
    addresses = re.findall(r"^  (http://.*)$", text, re.M)
    for address in ", ".join(addresses).split(", "):
        status, _, body = fetch(address)
        if status != 200 or not body:
            raise Failed(f"{address}: {status}")
    [share, config] = [re.search(pattern, text, re.M) for pattern in (r"^  curl (\S+/share) -d '(.*)'$", r"^  \S+ check --config.file=(\S+)$")]
    for program, *words in [line.split() for line in re.findall(r"^  (/\S+/share-drift-exporter .*)$", text, re.M)]:
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode not in (0, 1) or not done.stdout:
            raise Failed(f"{words}: {done.returncode} {done.stderr}")
    fetch(share[1], share[2].encode(), "POST")
    read_until(demo, "ShareDriftUnexpectedAccount firing")
    print(f"{len(addresses)} lines of addresses were right, and a share was told of")
    return pathlib.Path(config[1])


def main():
    with subprocess.Popen([sys.executable, HERE / "demo.py", "--keep"], stdout=subprocess.PIPE, text=True) as demo:
        try:
            config = use(demo, read_until(demo, LAST_WORDS))
        finally:
            demo.send_signal(signal.SIGINT)
        print(demo.stdout.read())
        if demo.wait() != 0 or config.parent.exists():
            raise Failed(f"Ctrl-C: exit {demo.returncode}, {config.parent} {'is left' if config.parent.exists() else 'is gone'}")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
