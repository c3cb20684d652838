#!/usr/bin/env python3
"""kill -9 at random moments under churn: kill.py [ROUNDS] [SEED]

A churner shares and takes back accounts all the time. The daemon is killed and started over. After each start: the state was
sound, no event that was recorded is gone, and what is shared is what is raised.
"""
import pathlib
import random
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from harness import Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402

IMAGES = [f"m-{n}" for n in range(4)]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"{rounds} rounds, seed {seed}")
    dice = random.Random(seed)
    with workspace() as (directory, keep):
        simulator = keep(Simulator(directory))
        truth = {image: set() for image in IMAGES}
        for image in IMAGES:
            simulator.control("images", id=image, accounts=[])
        images = "".join(f"  - {{id: {image}, allowed: []}}\n" for image in IMAGES)
        config = (f"profiles:\n  default: {{endpoint: \"{simulator.url}\", requests_per_second: 0}}\n"
                  f"poll: {{interval: 1s, spread: none, confirm_clears: 1}}\nimages:\n{images}")
        state = directory / "daemon.db"
        recorded = 0
        port = None
        for _ in range(rounds):
            daemon = Daemon(directory, config, port=port, wait=False)
            port = daemon.port
            end = time.monotonic() + dice.uniform(0.0, 0.5)
            while time.monotonic() < end:
                image, account = dice.choice(IMAGES), str(dice.randrange(1, 30))
                verb = "unshare" if account in truth[image] else "share"
                simulator.control(verb, image=image, accounts=[account])
                truth[image] ^= {account}
            daemon.kill()
            if daemon.events("state_rejected"):
                raise Failed("a kill left a state that was rejected")
            if not state.exists():
                continue
            code, out, err = run("history", f"--storage.path={state}", "--format=logfmt", "--limit=0")
            if code != 0 and "no such table" not in err and "not a state database" not in err:
                raise Failed(f"history after a kill: {code} {err}")
            count = len(out.splitlines())
            if count < recorded:
                raise Failed(f"{recorded} events had been recorded, {count} are left")
            recorded = count
        daemon = Daemon(directory, config, port=port)
        for image in IMAGES:
            wait_for(f"{image} to show the truth", lambda image=image: daemon.value(
                "share_drift_unexpected_accounts", image_id=image) == len(truth[image]))
        if daemon.value("share_drift_state_ok") != 1:
            raise Failed("the state is not sound")
        daemon.stop()
        print(f"nothing lost: {recorded} events recorded, the truth raised at every end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
