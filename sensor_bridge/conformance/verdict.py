"""What becomes of a clause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_protocol.clauses import Clause


class Violation(Exception):  # noqa: N818 - what the sensor did
    """The sensor does not keep the clause; the message says what it did instead."""


class NotExaminable(Exception):  # noqa: N818 - what stood in the way
    """The clause could not be examined; the message says why."""


class Verdict(StrEnum):
    """How a clause came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EXAMINED = "not examined"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for one clause.

    Parameters
    ----------
    clause
        The clause.
    verdict
        How it came out.
    detail
        What the sensor did instead, or why it was not examined; empty where it passed.
    """

    clause: Clause
    verdict: Verdict
    detail: str = ""


def require(holds: bool, complaint: str) -> None:
    """Raise `Violation` with the complaint unless it holds."""
    if not holds:
        raise Violation(complaint)
