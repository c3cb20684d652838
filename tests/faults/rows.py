"""What the rows of the fault matrix share: the world they start from, what must be seen, and the table."""
import concurrent.futures
import contextlib

from harness import Failed, Simulator, wait_for

ROWS_AT_A_TIME = 4
DRIFT, CLEAN, STRANGER, FRIEND = "m-drift", "m-clean", "4242424242424242", "1715107400000001"


def config(endpoint, **profile):
    settings = {"endpoint": endpoint, "requests_per_second": 0, "timeout": "2s", "max_attempts": 2, **profile}
    lines = "".join(f"    {key}: {value}\n" for key, value in settings.items())
    return f"""\
profiles:
  default:
{lines}poll: {{interval: 1s, stale_after: 4s, spread: none}}
images:
  - {{id: {DRIFT}, allowed: ["{FRIEND}"]}}
  - {{id: {CLEAN}, allowed: ["{FRIEND}"]}}
"""


def populate(simulator):
    simulator.control("images", id=DRIFT, accounts=[FRIEND, STRANGER])
    simulator.control("images", id=CLEAN, accounts=[FRIEND])


def proven(daemon):
    return (daemon.value("share_drift_listing_complete", image_id=CLEAN) == 1
            and daemon.value("share_drift_listing_complete", image_id=DRIFT) == 1
            and daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) == 1
            and daemon.value("share_drift_unexpected_accounts", image_id=CLEAN) == 0)


def blind(daemon, states, reasons):
    """Nobody can see: the state and the reason say so, the drift stays, nothing was closed."""
    def seen():
        state = daemon.state(DRIFT)
        if state not in states:
            raise Failed(f"state {state}")
        failing = [r for r in reasons if (daemon.value("share_drift_listing_failures_by_reason_total", reason=r) or 0) > 0]
        if not failing:
            raise Failed(f"none of the reasons {reasons} was counted")
        return f"{state}/{failing[0]}"
    what = wait_for(f"state {states} with reason {reasons}", seen)
    if daemon.value("share_drift_unexpected_accounts", image_id=DRIFT) != 1:
        raise Failed("the drift gauge moved although nobody could see")
    if daemon.events("drift_closed"):
        raise Failed("a drift was closed although nobody could see")
    return what


class Table:
    """Runs rows, a few at a time since they wait more than they work, and prints what was expected and what was seen."""

    def __init__(self, at_a_time=ROWS_AT_A_TIME):
        self.at_a_time = at_a_time
        self.missed = 0
        self.rows = []

    def row(self, fault, expected, run):
        self.rows.append((fault, expected, run))

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(self.at_a_time) as pool:
            print(f"{'fault':<34} {'expected':<42} seen")
            for (fault, expected, _), seen in zip(self.rows, pool.map(self.see, self.rows)):
                print(f"{fault:<34} {expected:<42} {seen}", flush=True)
        self.rows.clear()

    def see(self, row):
        try:
            return row[2]()
        except (Failed, OSError, AssertionError) as miss:
            self.missed += 1
            return f"MISSED: {miss}"


@contextlib.contextmanager
def place(directory, name):
    """A directory and a simulator of a row's own."""
    own = directory / name
    own.mkdir()
    simulator = Simulator(own)
    try:
        populate(simulator)
        yield own, simulator
    finally:
        simulator.stop()
