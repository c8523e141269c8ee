"""The C codec, compiled as tests need it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_protocol.c_header import carried
from firmware_protocol.layouts import LAYOUTS

SOURCES = Path(__file__).resolve().parents[2] / "firmware_protocol" / "c"
DRIVERS = Path(__file__).resolve().parent / "c"
CODEC = tuple(sorted(SOURCES.glob("*.c")))
STRICT = (
    "-std=c99",
    "-pedantic",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Werror",
)
SANITIZERS = ("-g", "-O1", "-fno-sanitize-recover=all")
# There is nothing to leak, and the leak detector cannot run under a tracer.
ENVIRONMENT = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
BY_NAME = {layout.packet: layout for layout in LAYOUTS}


def tool(package: str, *names: str) -> str:
    """Find a program, or skip by name where it is absent."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    pytest.skip(f"{names[0]} is not installed: apt install {package}")


def run(*command: str | Path, given: str | None = None, where: Path | None = None) -> str:
    """Run a program that has to succeed; return what it printed."""
    done = subprocess.run(
        [str(each) for each in command],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=where,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr[-4000:]}"
    return done.stdout + done.stderr


def numbers(wire: dict) -> list[int]:
    """Flatten the fields of a vector as the C driver prints and takes them."""
    packet = wire["packet"]
    fields = [int(wire["wire"][field.name]) for field, _ in carried(BY_NAME[packet])]
    tail = BY_NAME[packet].tail
    if tail is None:
        return fields
    value = wire["wire"][tail.name]
    octets = value.encode() if isinstance(value, str) else [count for row in value for count in row]
    return fields + list(octets)
