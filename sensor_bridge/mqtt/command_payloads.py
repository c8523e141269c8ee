"""Commands to the bridge: the arguments of each, the answer, and the notes that some leave behind. Pure.

A command is told by the last level of its topic, ``svc/bridge/cmd/<name>``.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from sensor_bridge.mqtt.field_types import Code, Count, Id, Ordinal, Side, Uuid7

Text = Annotated[str, Meta(max_length=500)]
Request = Annotated[str, Meta(min_length=1, max_length=64)]
Tempo = Annotated[str, Meta(max_length=40)]
Moment = Annotated[float, Meta(ge=0.0, lt=8.64e15)]
NoteKind = Literal["note", "not_a_repetition", "missed_repetition"]


class ArgumentError(ValueError):
    """A command whose arguments are not what its name promises: which one, and why."""


class Command(Struct, frozen=True, kw_only=True):
    """A request to a service; the answer goes to ``.../rsp/<reply_to>`` under the same `request`."""

    request: Request
    reply_to: Id
    arguments: dict[str, str | int | float | bool | None] = field(default_factory=dict)


class Response(Struct, frozen=True, kw_only=True):
    """The answer to a command."""

    request: str
    ok: bool
    text: str = ""


class Note(Struct, frozen=True, kw_only=True):
    """What a person said of a moment or of an event. All its revisions carry one event id."""

    athlete: Id
    revision: Count
    kind: NoteKind
    at_ms: float
    event: Uuid7 | None = None
    text: str = ""
    by: str = ""
    withdrawn: bool = False


class StartSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A set begins now: the repetitions from here on are its own."""

    athlete: Id


class EndSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The running set is over."""

    athlete: Id


class Prescribe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked from the next set on; what is absent or null is not asked, all absent: nothing is."""

    athlete: Id
    exercise: Code | None = None
    repetitions: Annotated[Ordinal, Meta(le=1000)] | None = None
    sets: Annotated[Ordinal, Meta(le=1000)] | None = None
    side: Side | None = None
    tempo: Tempo | None = None
    minimum_range_deg: Annotated[float, Meta(gt=0.0, le=180.0)] | None = None
    load_kg: Annotated[float, Meta(ge=0.0, le=1000.0)] | None = None
    support: bool | None = None


class ReZero(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The calibration begins anew; the athlete stands still for it."""

    athlete: Id


class Identify(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sensor shows itself."""

    sensor: Id


class NotARepetition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repetition that was none: it is withdrawn. `event` is its event id."""

    athlete: Id
    event: Uuid7
    text: Text = ""


class MissedRepetition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There was a repetition at this time, UTC ms, that was not counted."""

    athlete: Id
    at_ms: Moment
    text: Text = ""


class TakeNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note on the athlete, or on one of their events."""

    athlete: Id
    text: Annotated[Text, Meta(min_length=1)]
    event: Uuid7 | None = None


class Undo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take back an earlier command; `request` is that command's."""

    athlete: Id
    request: Request


Arguments = (
    StartSet | EndSet | Prescribe | ReZero | Identify | NotARepetition | MissedRepetition | TakeNote | Undo
)

COMMANDS: dict[str, type[Arguments]] = {
    "start-set": StartSet,
    "end-set": EndSet,
    "prescribe": Prescribe,
    "re-zero": ReZero,
    "identify": Identify,
    "not-a-repetition": NotARepetition,
    "missed-repetition": MissedRepetition,
    "note": TakeNote,
    "undo": Undo,
}
"""The arguments of each command the bridge takes, by the command's name."""


def arguments_of(name: str, command: Command) -> Arguments:
    """Read the arguments of a command.

    Raises
    ------
    ArgumentError
        One line for whoever sent it: there is no such command, or which argument is wrong and why.
    """
    model = COMMANDS.get(name)
    if model is None:
        raise ArgumentError(f"there is no command {name[:40]}: the bridge knows {', '.join(COMMANDS)}")
    try:
        return msgspec.convert(command.arguments, model)
    except msgspec.ValidationError as error:
        raise ArgumentError(f"{name}: {error}") from error
