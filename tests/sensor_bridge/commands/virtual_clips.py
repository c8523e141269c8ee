"""Virtual sensors in a process of their own, and the command line against them."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor_bridge.cli import run_command

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


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def hipline(*arguments: str) -> Outcome:
    """Run one command to its end, in this process: to start another takes longer than most commands."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = run_command(list(arguments))
    return Outcome(code, stdout.getvalue(), stderr.getvalue())
