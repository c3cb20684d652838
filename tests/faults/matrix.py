#!/usr/bin/env python3
"""The fault matrix: matrix.py api|network|process

Each row starts from the same truth: m-drift is shared with an account that must not have it, m-clean is in sync. While the
fault lasts the drift must stay open, the state must say why, and nobody may claim that m-clean is fine beyond its proof.
When it ends, both are proven again. No row may lose or invent a drift.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from api_rows import api  # noqa: E402
from network_rows import network  # noqa: E402
from process_rows import process  # noqa: E402
from rows import Table  # noqa: E402


def main():
    table = Table()
    {"api": api, "network": network, "process": process}[sys.argv[1]](table)
    if table.missed:
        print(f"{table.missed} rows missed")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
