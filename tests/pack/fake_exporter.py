"""Serves what the daemon would, in states that a test sets; every name and label is checked against the daemon's table."""
import time

import boards as pack
from harness import Handler, WebServer


class FakeExporter(WebServer):
    """Images are dicts: id, name, team, severity, and what is known of them; see `image()`. Failing: answers 503."""

    def __init__(self, root, images, interval=1.0):
        self.metrics = pack.documented(root)
        self.images, self.interval, self.failing = images, interval, False
        self.started = time.time()
        self.overrides = {}  # name of a gauge without labels: value
        self.api_failures = {}  # reason: requests per second
        exporter = self

        class Page(Handler):
            def do_GET(self):
                self.answer(503 if exporter.failing else 200, exporter.page().encode(),
                            "text/plain; version=0.0.4; charset=utf-8")
        super().__init__(Page)

    def page(self):
        lines = []
        images = (sample for image in self.images for sample in [*self.image_samples(image), *self.other_samples(image)])
        for name, labels, value in [*self.daemon_samples(), *images]:
            family = pack.base_name(name, self.metrics)
            missing = {*self.metrics[family][1]} ^ {*labels} - {"le"}
            if missing:
                raise AssertionError(f"{name}: labels {missing}")
            text = ",".join(f'{k}="{v}"' for k, v in labels.items())
            lines.append(f"{name}{{{text}}} {value!r}")
        return "\n".join(lines) + "\n"

    def image_samples(self, image):
        """`unexpected` and `missing` are {account: (name, since)}; `complete_at` None: listed right now."""
        of = {"image_id": image["id"]}
        now, age = time.time(), time.time() - self.started
        yield "share_drift_image_info", {**of, "image_name": image.get("name", ""), "team": image.get("team", ""),
                                         "severity": image.get("severity", ""), "profile": "default",
                                         "source": "configured"}, 1
        state = image.get("state", "ok")
        complete_at = image.get("complete_at") or now - 0.2
        yield "share_drift_image_state", {**of, "state": state}, 1
        yield "share_drift_poll_interval_seconds", of, self.interval
        yield "share_drift_listing_complete", of, int(state in ("ok", "empty"))
        yield "share_drift_listing_last_complete_timestamp_seconds", of, complete_at
        yield "share_drift_listing_last_attempt_timestamp_seconds", of, now - 0.2
        yield "share_drift_allowed_accounts", of, 3
        yield "share_drift_listings_total", of, int(age / self.interval)
        yield "share_drift_listing_failures_total", of, int((now - complete_at) / self.interval)
        for kind in ("unexpected", "missing"):
            drifts = image.get(kind, {})
            yield "share_drift_opened_total", {**of, "kind": kind}, image.get("opened_" + kind, len(drifts))
            yield "share_drift_closed_total", {**of, "kind": kind}, image.get("closed_" + kind, 0)
            for account, (name, since) in drifts.items():
                yield ("share_drift_account_since_timestamp_seconds",
                       {**of, "account_id": account, "account_name": name, "kind": kind}, since)
        if image.get("canary"):
            yield "share_drift_canary_drift_open", of, int(bool(image.get("unexpected")))
        else:
            yield "share_drift_unexpected_accounts", of, len(image.get("unexpected", {}))
            yield "share_drift_unexpected_accounts_min", of, len(image.get("unexpected", {})) + image.get("unlisted", 0)
        yield "share_drift_missing_accounts", of, len(image.get("missing", {}))
        yield "share_drift_shared_accounts", of, 3 + len(image.get("unexpected", {})) - len(image.get("missing", {}))
        yield "share_drift_unlisted_accounts", of, image.get("unlisted", 0)
        for account, end in image.get("exceptions", {}).items():
            yield "share_drift_exception_expiry_timestamp_seconds", {**of, "account_id": account}, end

    def other_samples(self, image):
        """0 in every family that image_samples() does not know, or may leave out."""
        known = {name for name, _, _ in self.image_samples(image)}
        known |= {"share_drift_canary_drift_open", "share_drift_unexpected_accounts", "share_drift_unexpected_accounts_min"}
        for name, (_, keys, _) in self.metrics.items():
            if keys == ["image_id"] and name not in known:
                yield name, {"image_id": image["id"]}, 0

    def daemon_samples(self):
        """Every family that is not about an image: gauges are 1, timestamps the start, counters grow."""
        seconds = time.time() - self.started
        of_image = ("image_id",)
        values = {"share_drift_account_series_dropped": 0, "share_drift_clears_held": 0, "share_drift_watched_images": len(self.images),
                  "share_drift_clock_skew_seconds": 0.1, "share_drift_credentials_expiry_timestamp_seconds": self.started + 3600,
                  "share_drift_shard_ordinal": 0, "process_resident_memory_bytes": 2e7, "process_virtual_memory_bytes": 9e7,
                  "process_open_fds": 20, "process_max_fds": 1024, "process_threads": 6,
                  "share_drift_api_budget_requests_per_second": 5, "share_drift_inventory_interval_seconds": 3600, **self.overrides}
        labels = {"profile": "default", "version": "0.2.0", "revision": "test", "sha256": "ab" * 32, "source": "static_file",
                  "level": "info", "path": "/metrics", "code": "200", "reason": "timeout", "endpoint": "https://ens.aliyuncs.com"}
        for name, (kind, keys, _) in self.metrics.items():
            if set(of_image) & set(keys):
                continue
            own = {key: labels[key] for key in keys}
            if name == "share_drift_api_failures_total":
                for reason in {"timeout", "throttled", "dns", *self.api_failures}:
                    yield name, {**own, "reason": reason}, self.api_failures.get(reason, 0) * seconds
            elif name == "share_drift_closed_by_reason_total":
                yield name, {"reason": "revoked"}, sum(image.get("closed_unexpected", 0) for image in self.images)
            elif kind == "counter":
                busy = name.endswith(("requests_total", "lines_total", "cpu_seconds_total"))
                yield name, own, seconds * len(self.images) / self.interval if busy else 0
            elif kind == "histogram":
                for le in ("0.1", "1", "+Inf"):
                    yield name + "_bucket", {**own, "le": le}, seconds
                yield name + "_sum", own, seconds * 0.05
                yield name + "_count", own, seconds
            elif name.endswith("_timestamp_seconds") or name == "process_start_time_seconds":
                yield name, own, values.get(name, self.started)
            else:
                yield name, own, values.get(name, 1)
