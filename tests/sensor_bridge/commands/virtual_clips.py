"""Virtual sensors in a process of their own, and the command line against them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HIPLINE = [sys.executable, "-c", "from sensor_bridge.cli import main; main()"]


@contextlib.contextmanager
def virtual_clips(*arguments: str) -> Iterator[str]:
    """Put virtual sensors on the air; yields the port of their radio."""
    process = subprocess.Popen(
        [*HIPLINE, "virtual-sensors", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"at port (\d+)", process.stderr.readline())
        assert found, "the virtual sensors did not say their port"
        yield found[1]
    finally:
        process.kill()
        process.communicate(timeout=10)


def hipline(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run([*HIPLINE, *arguments], capture_output=True, text=True, check=False, timeout=120)
