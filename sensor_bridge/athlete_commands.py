"""What commands do to one athlete's session. No clock, no I/O: read from the log again, they do the same."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from sensor_bridge.command_orders import CommandOrders
from sensor_bridge.disputes import Disputes
from sensor_bridge.given_command import Answer
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.command_payloads import (
    ArgumentError,
    EndSet,
    MissedRepetition,
    NotARepetition,
    Note,
    Prescribe,
    ReZero,
    StartSet,
    TakeNote,
    Undo,
)
from sensor_bridge.mqtt.event_ids import event_id
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.pipeline import MotionPipeline
    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.assembly import BlockAssembly
    from sensor_bridge.config import PrescriptionConfig
    from sensor_bridge.given_command import GivenCommand
    from sensor_bridge.messages import AthleteMessages
    from sensor_bridge.mqtt.command_payloads import NoteKind
    from sensor_bridge.told_events import Told

log = logging.getLogger(__name__)

_DISPUTED: Final = "a person saw that it was none"
_UNDONE: Final = "the command that added it was undone"
_Done = tuple[list[Outgoing], Answer]


@dataclass(slots=True)
class _Entry:
    """A command that was executed: how it was answered, and what takes it back."""

    given: GivenCommand
    answer: Answer
    undo: Callable[[GivenCommand, int], _Done] | None = None
    is_undone: bool = False


class AthleteCommands:
    """Executes the commands that are about one athlete.

    Parameters
    ----------
    athlete_id, session
        In every message.
    prescription
        What is asked at the start.
    pipeline, assembly, messages
        Of the athlete's session.
    tell
        Turns what the pipeline says into messages.
    """

    def __init__(
        self,
        athlete_id: str,
        session: str,
        prescription: PrescriptionConfig | None,
        pipeline: MotionPipeline,
        assembly: BlockAssembly,
        messages: AthleteMessages,
        tell: Callable[[PipelineOutput], list[Outgoing]],
    ) -> None:
        self._orders = CommandOrders(prescription)
        self._athlete_id = athlete_id
        self._session = session
        self._pipeline = pipeline
        self._assembly = assembly
        self._messages = messages
        self._tell = tell
        self._is_silent = False
        self._disputes = Disputes(messages.told)
        self._book: dict[tuple[str, str], _Entry] = {}

    @property
    def prescription(self) -> PrescriptionConfig | None:
        """What is asked now."""
        return self._orders.prescription

    def execute(self, given: GivenCommand, now_ns: int, *, is_silent: bool) -> _Done:
        """Do what was ordered; the same command a second time does nothing and is answered as before.

        Parameters
        ----------
        given
            About this athlete.
        now_ns
            When it came, UTC ns.
        is_silent
            No samples come: what waits for its sample would wait for long.
        """
        known = self._book.get(given.key)
        if known is not None:
            return [], known.answer
        self._is_silent = is_silent
        entry = _Entry(given, Answer(is_done=False, text=""))
        try:
            messages, entry.answer = self._do(entry, now_ns)
        except ArgumentError as error:
            messages, entry.answer = [], Answer(is_done=False, text=str(error))
        except Exception:
            # It stands in the log: a bridge that died of it would die again at every start.
            log.exception("%s, request %s, failed", given.name, given.request)
            messages, entry.answer = [], Answer(is_done=False, text="this failed: the bridge's log says how")
        self._book[given.key] = entry
        return messages, entry.answer

    def _do(self, entry: _Entry, now_ns: int) -> _Done:
        now_ms = now_ns / 1e6
        match entry.given.arguments:
            case StartSet() | EndSet() | ReZero() if self._assembly.from_utc_ns(now_ns) is None:
                raise ArgumentError("nothing is measured yet: are the sensors on and connected?")
            case StartSet():
                number, repetitions = self._messages.running
                following = number + 1 if repetitions else max(1, number)
                return self._order(entry.given, now_ns), _done(f"set {following} begins")
            case EndSet():
                number, repetitions = self._messages.running
                if not repetitions:
                    raise ArgumentError("no set is running: no repetition has been counted in it")
                return self._order(entry.given, now_ns), _done(f"set {number} is over")
            case ReZero():
                messages = self._order(entry.given, now_ns)
                messages += self._messages.forget_calibrations(now_ms)
                return messages, _done("zero is found anew: stand still for two seconds")
            case Prescribe():
                return self._prescribe(entry, now_ns)
            case NotARepetition(event=event, text=text):
                return self._dispute(entry, event, text, now_ms)
            case MissedRepetition(at_ms=at_ms, text=text):
                return self._add_missed(entry, at_ms, text, now_ms)
            case TakeNote(text=text, event=event):
                told = None if event is None else self._found(event)
                at_ms = now_ms if told is None else told.time_ms
                return self._note(entry, "note", at_ms, event, text, "noted")
            case Undo(request=request):
                return self._undo(request, entry.given, now_ns)
            case _:
                raise ArgumentError(f"{entry.given.name} is not about an athlete")

    # What the pipeline does ------------------------------------------------------------------------------

    def _order(self, given: GivenCommand, now_ns: int) -> list[Outgoing]:
        order = self._orders.order(given, self._assembly.from_utc_ns(now_ns) or 0)
        if order is None:
            raise ArgumentError(f"{given.name}: something else was prescribed since")
        self._pipeline.order(order)
        return self._tell(self._pipeline.obey_now()) if self._is_silent else []

    def _prescribe(self, entry: _Entry, now_ns: int) -> _Done:
        messages = self._order(entry.given, now_ns)
        wanted = self.prescription

        def undo(given: GivenCommand, now_ns: int) -> _Done:
            messages = self._order(given, now_ns)
            return [*messages, *self._tell_asked(now_ns)], _done("what was prescribed before holds again")

        entry.undo = undo
        if wanted is None:
            said = "nothing is prescribed any more"
        else:
            said = f"prescribed: {wanted.exercise or 'any exercise'}".replace("_", " ")
        return [*messages, *self._tell_asked(now_ns)], _done(said)

    def _tell_asked(self, now_ns: int) -> list[Outgoing]:
        asked = self.prescription
        return self._messages.ask(None if asked is None else asked.prescription(), now_ns / 1e6)

    # What people saw -------------------------------------------------------------------------------------

    def _dispute(self, entry: _Entry, event: str, text: str, now_ms: float) -> _Done:
        told, book = self._found(event), self._messages.told
        if not isinstance(told.data, payloads.Repetition):
            raise ArgumentError("not-a-repetition: this event is no repetition")
        if told.is_withdrawn:
            raise ArgumentError("not-a-repetition: it does not count already")
        place = f"repetition {told.data.repetition} of set {told.data.set}"
        messages = self._disputes.dispute(told, _DISPUTED)
        left = len(book.counted(told.data.set))
        noted, answer = self._note(
            entry, "not_a_repetition", told.time_ms, event, text, f"{place} does not count: {left} are left"
        )
        take_back_note = entry.undo
        assert take_back_note is not None

        def undo(given: GivenCommand, now_ns: int) -> _Done:
            if (again := book.find(event)) is None or not again.is_disputed:
                raise ArgumentError("undo: this repetition is not there any more")
            restored = self._disputes.restore(again)
            withdrawn, _ = take_back_note(given, now_ns)
            state = self._messages.state(now_ns / 1e6)
            return [*restored, *withdrawn, state], _done("the repetition counts again")

        entry.undo = undo
        return [*messages, *noted, self._messages.state(now_ms)], answer

    def _add_missed(self, entry: _Entry, at_ms: float, text: str, now_ms: float) -> _Done:
        at_ns = self._assembly.from_utc_ns(round(at_ms * 1e6))
        measured = None if at_ns is None else self._pipeline.measure_missed(at_ns)
        told, messages = None, list[Outgoing]()
        said = "marked, not measured: no movement was seen there that was not counted"
        if measured is not None:
            exercise = self._messages.exercise
            told, messages = self._disputes.add(measured, exercise, self._assembly.to_utc_ns)
            said = "marked, not measured: no set was under way then, or it counts already"
        if told is None:
            return self._note(entry, "missed_repetition", at_ms, None, text, said)
        said = f"measured: repetition {told.data.repetition} of set {told.data.set}"
        noted, answer = self._note(entry, "missed_repetition", at_ms, told.event_id, text, said)
        take_back_note, event = entry.undo, told.event_id
        assert take_back_note is not None

        def undo(given: GivenCommand, now_ns: int) -> _Done:
            book = self._messages.told
            added = next((each for _, each in book.added if each.event_id == event), None)
            if added is None:
                raise ArgumentError("undo: the sensors count this repetition themselves by now")
            taken_away = self._disputes.take_away(added, _UNDONE)
            withdrawn, _ = take_back_note(given, now_ns)
            state = self._messages.state(now_ns / 1e6)
            return [*taken_away, *withdrawn, state], _done("the repetition is taken away again")

        entry.undo = undo
        return [*messages, *noted, self._messages.state(now_ms)], answer

    def _note(
        self, entry: _Entry, kind: NoteKind, at_ms: float, event: str | None, text: str, said: str
    ) -> _Done:
        given = entry.given
        identifier = event_id(
            at_ms,
            session=self._session,
            athlete=self._athlete_id,
            kind=f"{kind}-{given.by}-{given.request}",
            set_number=0,
        )
        note = Note(
            athlete=self._athlete_id, revision=0, kind=kind, at_ms=at_ms, event=event, text=text, by=given.by
        )

        def told(note: Note) -> Outgoing:
            ids = {"athlete": self._athlete_id}
            return Outgoing(Channel.NOTE, ids, at_ms, note, identifier, note.revision)

        def undo(_given: GivenCommand, _now_ns: int) -> _Done:
            withdrawn = msgspec.structs.replace(note, revision=1, withdrawn=True)
            return [told(withdrawn)], _done("taken back")

        entry.undo = undo
        return [told(note)], _done(said)

    def _undo(self, request: str, given: GivenCommand, now_ns: int) -> _Done:
        entry = self._book.get((given.by, request))
        if entry is None or not entry.answer.is_done:
            raise ArgumentError("undo: nothing was done under this request")
        if entry.is_undone:
            raise ArgumentError("undo: it was undone already")
        if entry.undo is None:
            raise ArgumentError(f"undo: {entry.given.name} cannot be undone")
        done = entry.undo(given, now_ns)
        entry.is_undone = True
        return done

    def _found(self, event: str) -> Told:
        told = self._messages.told.find(event)
        if told is None:
            raise ArgumentError("nothing was told under this event id in this session")
        return told


def _done(text: str) -> Answer:
    return Answer(is_done=True, text=text)
