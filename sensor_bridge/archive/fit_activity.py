"""A session as a FIT activity of strength training: sets with their repetitions, and the rests between. Pure.

Numbers of messages, fields and exercises are those of the public FIT profile. An exercise that the profile
does not know is named in words; a load is told only where one was prescribed.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from sensor_bridge.archive.fit_file import FitField, FitMessage, FitType, fit_file, fit_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor_bridge.archive.performed_sets import PerformedSet

_FILE_ID, _EXERCISE_TITLE, _SET, _EVENT, _LAP, _SESSION, _ACTIVITY = 0, 264, 225, 21, 19, 18, 34
_TIMESTAMP, _MESSAGE_INDEX = 253, 254
_DEVELOPMENT: Final = 255  # the manufacturer's number for those who have none
_ACTIVITY_FILE: Final = 4
_TIMER, _START, _STOP_ALL, _STOP = 0, 0, 4, 1
_SESSION_EVENT, _LAP_EVENT, _ACTIVITY_EVENT = 8, 9, 26
_TRAINING, _STRENGTH_TRAINING = 10, 20
_REST, _ACTIVE = 0, 1
_KILOGRAM: Final = 1
_WEIGHT_SCALE: Final = 16
_UNKNOWN: Final = 65534
_LARGEST: Final = 2**32 - 2
_DAY_MS: Final = 86_400_000.0

_DEADLIFT, _HIP_RAISE, _LUNGE, _SQUAT = 8, 10, 17, 28
_EXERCISES: dict[str, tuple[int, int | None]] = {
    "romanian_deadlift": (_DEADLIFT, 23),
    "deadlift": (_DEADLIFT, None),
    "single_leg_deadlift": (_DEADLIFT, None),
    "kickstand_deadlift": (_DEADLIFT, None),
    "glute_bridge": (_HIP_RAISE, 11),
    "single_leg_glute_bridge": (_HIP_RAISE, 30),
    "glute_bridge_walkout": (_HIP_RAISE, None),
    "squat": (_SQUAT, 61),
    "lunge": (_LUNGE, 32),
}
"""Category and, where the profile has just that exercise, its number there."""


def fit_activity(session: str, sets: Sequence[PerformedSet], started_ms: float, ended_ms: float) -> bytes:
    """Write an activity file.

    Parameters
    ----------
    session
        Its id; the file's serial number is made from it.
    sets
        In order of time.
    started_ms, ended_ms
        Of the session, UTC; where a set lies outside, or a day away because a clock was wrong, sets decide.
    """
    if sets:
        first_ms, last_ms = sets[0].start_ms, max(each.end_ms for each in sets)
        started_ms = started_ms if 0.0 <= first_ms - started_ms < _DAY_MS else first_ms
        ended_ms = ended_ms if 0.0 <= ended_ms - last_ms < _DAY_MS else last_ms
    lasted = _milliseconds(ended_ms - started_ms)
    start, end = _u32(2, _seconds(started_ms)), _u32(_TIMESTAMP, _seconds(ended_ms))
    sport = (_enum(5, _TRAINING), _enum(6, _STRENGTH_TRAINING))
    return fit_file(
        [
            FitMessage(
                _FILE_ID,
                (
                    _enum(0, _ACTIVITY_FILE),
                    _u16(1, _DEVELOPMENT),
                    _u16(2, 0),
                    FitField(3, FitType.UINT32Z, zlib.crc32(session.encode()) % 0xFFFFFFFE + 1),
                    _u32(4, _seconds(started_ms)),
                    FitField(8, FitType.STRING, "Hipline"),
                ),
            ),
            _timer(started_ms, _START),
            *_titles(sets),
            *_sets(sets),
            _timer(ended_ms, _STOP_ALL),
            FitMessage(
                _LAP,
                (
                    _u16(_MESSAGE_INDEX, 0),
                    end,
                    _enum(0, _LAP_EVENT),
                    _enum(1, _STOP),
                    start,
                    _u32(7, lasted),
                    _u32(8, lasted),
                    _enum(25, _TRAINING),
                    _enum(39, _STRENGTH_TRAINING),
                ),
            ),
            FitMessage(
                _SESSION,
                (
                    _u16(_MESSAGE_INDEX, 0),
                    end,
                    _enum(0, _SESSION_EVENT),
                    _enum(1, _STOP),
                    start,
                    *sport,
                    _u32(7, lasted),
                    _u32(8, lasted),
                    _u16(25, 0),
                    _u16(26, 1),
                ),
            ),
            FitMessage(
                _ACTIVITY,
                (end, _u32(0, lasted), _u16(1, 1), _enum(2, 0), _enum(3, _ACTIVITY_EVENT), _enum(4, _STOP)),
            ),
        ]
    )


def _sets(sets: Sequence[PerformedSet]) -> list[FitMessage]:
    messages: list[FitMessage] = []
    rested_from_ms: float | None = None
    for each in sets:
        if rested_from_ms is not None and each.start_ms > rested_from_ms:
            messages.append(_set(len(messages), rested_from_ms, each.start_ms, _REST))
        category, exercise = _EXERCISES.get(each.exercise, (_UNKNOWN, None))
        fields = [_u16(3, each.repetitions), _u16(7, category)]
        if exercise is not None:
            fields.append(_u16(8, exercise))
        if each.load_kg is not None:
            fields += [_u16(4, round(each.load_kg * _WEIGHT_SCALE)), _u16(9, _KILOGRAM)]
        messages.append(_set(len(messages), each.start_ms, each.end_ms, _ACTIVE, *fields))
        rested_from_ms = each.end_ms
    return messages


def _set(index: int, start_ms: float, end_ms: float, kind: int, *fields: FitField) -> FitMessage:
    return FitMessage(
        _SET,
        (
            _u32(_MESSAGE_INDEX, _seconds(end_ms)),  # in this message 254 is the time stamp
            _u32(0, _milliseconds(end_ms - start_ms)),
            FitField(5, FitType.UINT8, kind),
            _u32(6, _seconds(start_ms)),
            _u16(10, index),
            *fields,
        ),
    )


def _titles(sets: Sequence[PerformedSet]) -> list[FitMessage]:
    """Name each exercise in words once."""
    codes = list(dict.fromkeys(each.exercise for each in sets))
    titles = []
    for index, code in enumerate(codes):
        category, exercise = _EXERCISES.get(code, (_UNKNOWN, None))
        fields = [_u16(_MESSAGE_INDEX, index), _u16(0, category)]
        if exercise is not None:
            fields.append(_u16(1, exercise))
        words = code.replace("_", " ").capitalize()
        titles.append(FitMessage(_EXERCISE_TITLE, (*fields, FitField(2, FitType.STRING, words))))
    return titles


def _timer(time_ms: float, kind: int) -> FitMessage:
    return FitMessage(_EVENT, (_u32(_TIMESTAMP, _seconds(time_ms)), _enum(0, _TIMER), _enum(1, kind)))


def _seconds(time_ms: float) -> int:
    return min(max(0, fit_time(time_ms)), _LARGEST)


def _milliseconds(duration_ms: float) -> int:
    return min(max(0, round(duration_ms)), _LARGEST)


def _enum(number: int, value: int) -> FitField:
    return FitField(number, FitType.ENUM, value)


def _u16(number: int, value: int) -> FitField:
    return FitField(number, FitType.UINT16, value)


def _u32(number: int, value: int) -> FitField:
    return FitField(number, FitType.UINT32, value)
