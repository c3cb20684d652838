"""Reads text pages, made to OpenMetrics as unit tests say it is, with the parser of python3-prometheus-client: check_openmetrics.py FILE..."""
import re
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as page:
        text = re.sub(r"^(# \w+ \w+)_total ", r"\1 ", page.read(), flags=re.MULTILINE) + "# EOF\n"
    families = list(text_string_to_metric_families(text))
    samples = sum(len(family.samples) for family in families)
    print(f"{path}: {len(families)} families, {samples} samples")
    if not samples:
        sys.exit(1)
