#!/usr/bin/env python3
"""Fails if a file includes what its layer may not: check_layers.py SOURCE_DIR.

Debian puts every library's headers into one directory, so the linker cannot hold the layers apart; this does.
"""
import pathlib
import re
import sys

# layer: the layers it may include besides itself
ALLOWED = {
    "core": set(),
    "ports": {"core"},
    "config": {"core", "ports"},
    "aliyun": {"core", "ports"},
    "io": {"core", "ports"},
    "simulator": {"core", "ports", "aliyun", "io"},
    "app": {"core", "ports", "config", "aliyun", "io"},
    "main": {"core", "ports", "config", "aliyun", "io", "app"},
}
# library: the only files that may know it (a prefix of the path below daemon/)
LIBRARIES = {
    r"httplib\.h": {"io/http_server"},
    r"curl/.*": {"io/curl_"},
    r"yaml-cpp/.*": {"config/", "simulator/scenario"},
    r"spdlog/.*": {"app/logging"},
    r"sqlite3\.h": {"io/state_db", "io/sqlite"},
    r"systemd/.*": {"io/sd_notify"},
    r"CLI/.*": {"app/cli", "simulator/"},
    r"prometheus/.*": {"app/"},
}


def layer_of(path):
    return path.parts[0] if len(path.parts) > 1 else path.stem


def main():
    root = pathlib.Path(sys.argv[1]) / "daemon"
    faults = []
    files = sorted(p for p in root.rglob("*.?pp"))
    for file in files:
        below = file.relative_to(root)
        layer = layer_of(below)
        if layer not in ALLOWED:
            faults.append(f"{below}: belongs to no layer")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            own = re.match(r'#include "([^"]+)"', line)
            if own:
                target = layer_of(pathlib.PurePath(own.group(1)))
                if target in ALLOWED and target != layer and target not in ALLOWED[layer]:
                    faults.append(f"{below}:{number}: {layer} may not include {own.group(1)}")
            foreign = re.match(r"#include <([^>]+)>", line)
            for pattern, homes in LIBRARIES.items():
                if foreign and re.fullmatch(pattern, foreign.group(1)):
                    if not any(str(below).startswith(home) for home in homes):
                        faults.append(f"{below}:{number}: <{foreign.group(1)}> belongs in {', '.join(sorted(homes))}")
    for fault in faults:
        print(fault)
    print(f"{len(files)} files, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
