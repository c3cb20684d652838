"""The truth of the soak: what the world is, as far as whoever changes it knows. Knows nothing of the daemon."""

PINNED, CALM, BIG = "m-pinned", "m-calm", "m-big"  # never changed; never shared with a stranger; more than one page
CHURNED = [f"m-{n}" for n in range(10)] + [BIG]
FRIENDS = [str(1715107400000001 + n) for n in range(6)]
STRANGERS = [str(4242424242424001 + n) for n in range(12)]
CROWD = [str(1700000000000001 + n) for n in range(150)]


class Model:
    """The shares and the allow-lists."""

    def __init__(self):
        self.shared = {image: {FRIENDS[0]} for image in CHURNED}
        self.shared[BIG] = set(CROWD)
        self.shared[PINNED] = {FRIENDS[0], STRANGERS[0]}
        self.shared[CALM] = {FRIENDS[0], FRIENDS[1]}
        self.allowed = {image: {FRIENDS[0], FRIENDS[1]} for image in self.shared}
        self.allowed[BIG] = set(CROWD)
        self.required = {image: {FRIENDS[0]} if n % 2 else set() for n, image in enumerate(sorted(self.shared))}
        self.required[BIG] = {CROWD[0], CROWD[149]}
        self.required[CALM] = {FRIENDS[1]}

    def expected(self, image):
        """What the series of the image must be once nothing disturbs."""
        shared, may = self.shared[image], self.allowed[image] | self.required[image]
        return {
            "share_drift_shared_accounts": len(shared), "share_drift_allowed_accounts": len(may),
            "share_drift_unexpected_accounts": len(shared - may),
            "share_drift_missing_accounts": len(self.required[image] - shared),
            "share_drift_unused_entries": len(may - shared), "share_drift_unlisted_accounts": 0,
            "share_drift_listing_complete": 1,
        }

    def drifts(self):
        return {(image, account, kind) for image, shared in self.shared.items()
                for kind, accounts in (("unexpected", shared - self.allowed[image] - self.required[image]),
                                       ("missing", self.required[image] - shared)) for account in accounts}

    def config(self, endpoint):
        def ids(accounts):
            return "[" + ", ".join(f'"{a}"' for a in sorted(accounts)) + "]"
        images = "".join(f"  - {{id: {image}, allowed: {ids(self.allowed[image])}, required: {ids(self.required[image])}}}\n"
                         for image in sorted(self.shared))
        return (f'profiles:\n  default: {{endpoint: "{endpoint}", requests_per_second: 0, timeout: 700ms, max_attempts: 2}}\n'
                f"poll: {{interval: 1s, stale_after: 5s}}\nimages:\n{images}")
