"""Reads pages with the OpenMetrics parser of python3-prometheus-client: check_openmetrics.py FILE..."""
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as page:
        families = list(text_string_to_metric_families(page.read()))
    samples = sum(len(family.samples) for family in families)
    print(f"{path}: {len(families)} families, {samples} samples")
    if not samples:
        sys.exit(1)
