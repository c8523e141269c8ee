from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from analytics.pipeline_setup import prepare_pipeline

REPOSITORY = Path(__file__).resolve().parent.parent


@functools.cache
def compile_once() -> None:
    """Keep compiling, which happens once after an installation, out of tests against the clock."""
    prepare_pipeline()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("realtime"):
        compile_once()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not os.environ.get("HIPLINE_FORBID_SKIPS"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter, "pytest without its terminal reporter tells nobody what was left out"
    left_out = {kind: len(reporter.stats.get(kind, [])) for kind in ("skipped", "deselected", "xfailed")}
    if any(left_out.values()) and exitstatus == pytest.ExitCode.OK:
        counts = ", ".join(f"{count} {kind}" for kind, count in left_out.items() if count)
        reporter.write_line(f"No test may be left out here: {counts}.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
