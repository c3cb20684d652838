#!/usr/bin/env python3
"""Fails if a file includes what its room may not: check_layers.py SOURCE_DIR.

Debian puts every library's headers into one directory, so the linker cannot hold the rooms apart; this does. The order of
ROOMS is from the inside out: a room may name only rooms above it, so there is no circle.
"""
import pathlib
import re
import sys

# room: (the rooms it may include besides itself, the libraries it may include)
ROOMS = {
    "core": ("", ""),
    "wire": ("core ports", "nlohmann openssl"),
    "ports": ("core wire", ""),
    "os": ("core ports", ""),
    "config": ("core wire ports os", "yaml-cpp"),
    "aliyun": ("core wire ports", ""),
    "credentials": ("core wire ports os", ""),
    "http_client": ("core wire ports os", "curl"),
    "http_server": ("core ports os", "httplib openssl"),
    "store": ("core wire ports os", "sqlite3"),
    "log": ("core wire ports", "spdlog"),
    "poll": ("core ports config", ""),
    "metrics": ("core ports log os", "prometheus zlib"),
    "web": ("core wire ports os config store log http_server metrics", "nlohmann openssl crypt"),
    "doctor": ("core wire ports config aliyun http_client", "nlohmann"),
    "app": ("core wire ports os config aliyun credentials http_client http_server store log poll metrics web doctor", "CLI nlohmann prometheus"),
}
# ens-simulator is no part of the daemon; it borrows the daemon's server, signatures and word to systemd.
SIMULATOR = ("core wire os ports aliyun http_server", "CLI nlohmann openssl yaml-cpp zlib")
# what the first part of an include in angle brackets says about its library; all others are the system's
LIBRARIES = {"httplib.h": "httplib", "curl": "curl", "yaml-cpp": "yaml-cpp", "spdlog": "spdlog", "fmt": "spdlog",
             "sqlite3.h": "sqlite3", "systemd": "systemd", "CLI": "CLI", "prometheus": "prometheus",
             "nlohmann": "nlohmann", "openssl": "openssl", "zlib.h": "zlib", "crypt.h": "crypt"}


def faults_of(file, shown, room, rooms, libraries):
    for number, line in enumerate(file.read_text().splitlines(), 1):
        own = re.match(r'#include "([^"/]+)/?[^"]*"', line)
        if own and own.group(1).removesuffix(".hpp") not in {room, *rooms.split()}:
            yield f"{shown}:{number}: {room} may not include {own.group(1)}"
        foreign = re.match(r"#include <([^>/]+)", line)
        library = LIBRARIES.get(foreign.group(1)) if foreign else None
        if library and library not in libraries.split():
            yield f"{shown}:{number}: {room} may not include {library}"


def main():
    root = pathlib.Path(sys.argv[1])
    faults, seen = [], 0
    named = set()
    for room, (rooms, _) in ROOMS.items():
        early = set(rooms.split()) - named
        if room == "wire":
            early -= {"ports"}  # one header; it knows what travels, and names no function of wire/
        if early:
            faults.append(f"{room}: {', '.join(sorted(early))} stands further out")
        named.add(room)
    for file in sorted((root / "daemon").rglob("*.?pp")):
        below = file.relative_to(root / "daemon")
        room = below.parts[0].removesuffix(".hpp")
        seen += 1
        if room not in ROOMS:
            faults.append(f"{below}: belongs to no room")
            continue
        faults += faults_of(file, below, room, *ROOMS[room])
    for file in sorted((root / "tests/simulator").glob("*.?pp")):
        seen += 1
        faults += faults_of(file, file.relative_to(root), "simulator", *SIMULATOR)
    for fault in faults:
        print(fault)
    print(f"{seen} files, {len(faults)} faults")
    return 1 if faults or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
