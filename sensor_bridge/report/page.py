"""Writes the report as one HTML file: the only file that knows Jinja.

What comes from people or from messages is escaped by the template; should that ever fail, the file's own
content security policy lets nothing run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from sensor_bridge.report.session_report import SessionReport, session_report
from sensor_bridge.report.wording import date_and_time

if TYPE_CHECKING:
    from sensor_bridge.archive.answers import SessionDetail
    from sensor_bridge.report.plots import AngleStretch

_MARKS = {"good": ("✓", "good"), "watch": ("△", "watch"), "bad": ("✕", "not good")}


def report_page(detail: SessionDetail, angles: AngleStretch | None, *, now_ms: float) -> str:
    """Write the report of one athlete's part of a session.

    Parameters
    ----------
    detail
        From the archive.
    angles
        Of the session; None where none were kept.
    now_ms
        When it is made, UTC, ms since 1970.

    Returns
    -------
    str
        A whole HTML document without scripts that needs no other file.
    """
    report = session_report(detail, angles)
    return _template().render(
        report=report,
        policy=report_policy(),
        style=Markup(_style()),  # noqa: S704 - our own file
        marks=_MARKS,
        has_proxy=_has_proxy(report),
        version=version("hipline"),
        made=date_and_time(now_ms),
    )


@cache
def report_policy() -> str:
    """Return the content security policy of a report: its own style sheet, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _has_proxy(report: SessionReport) -> bool:
    return any(cell.is_proxy for part in report.sets for row in part.rows for cell in row.cells)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(_own_file("session.html.jinja"))


@cache
def _style() -> str:
    return _own_file("report.css")


def _own_file(name: str) -> str:
    return (resources.files("sensor_bridge.report") / name).read_text(encoding="utf-8")
