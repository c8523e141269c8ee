"""What one athlete's measurements say to the world: results of the pipeline in, messages out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np

from analytics.exercises import Exercise, Side
from analytics.pipeline_output import (
    CalibrationEvent,
    SetEvent,
)
from analytics.slip import TOPS_SINCE
from sensor_bridge.corrections import corrections
from sensor_bridge.live_angles import LiveAngles
from sensor_bridge.mqtt import field_types, payloads
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.outgoing import Outgoing
from sensor_bridge.result_payloads import (
    brief_payload,
    calibration_payload,
    target_payload,
)
from sensor_bridge.told_events import ToldEvents

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.calibration import SegmentCalibration
    from analytics.imu import FloatArray
    from analytics.pipeline_output import LiveState, PipelineEvent, PipelineOutput
    from analytics.prescription import Prescription
    from sensor_bridge.live_angles import LiveSamples
    from sensor_bridge.remeasuring import Remeasured

__all__ = ["MOST_LISTED", "AthleteCard", "AthleteMessages", "Outgoing"]

MOST_LISTED = 300
"""Repetitions in a state: with 400 it would pass what a broker takes, who would hang up at each attempt."""


@dataclass(frozen=True, slots=True)
class AthleteCard:
    """Who is measured, and what was asked.

    Parameters
    ----------
    athlete_id, name
        Pseudonym in topics, and the name people read.
    session
        Id of the session.
    sensors
        Ids of the sensors worn.
    prescription
        What was asked; None where nothing was.
    """

    athlete_id: str
    name: str
    session: str
    sensors: tuple[str, ...]
    prescription: Prescription | None = None


class AthleteMessages:
    """Turns pipeline output into messages, and keeps the picture a late joiner needs.

    Parameters
    ----------
    card
        Who is measured.
    to_utc_ns
        From the pipeline's timeline to UTC, both integer ns.
    """

    def __init__(self, card: AthleteCard, to_utc_ns: Callable[[int], int]) -> None:
        self._card = card
        self._to_utc_ns = to_utc_ns
        self._ids = {"athlete": card.athlete_id}
        self._told = ToldEvents(card.athlete_id, card.session, to_utc_ns)
        self._calibrations: dict[str, payloads.SegmentCalibration] = {}
        self._angles = LiveAngles()
        self._live: LiveState | None = None
        self._ask(card.prescription)

    @property
    def told(self) -> ToldEvents:
        """What was told of repetitions and sets."""
        return self._told

    @property
    def exercise(self) -> str:
        """Code of what is done, as far as it is known."""
        return self._exercise

    @property
    def running(self) -> tuple[int, int]:
        """Number of the running set, 0 before the first, and repetitions in it, as consumers know them."""
        if self._live is None:
            return 0, 0
        number = self._live.set_number + self._told.shift
        return number, max(0, self._live.repetition_count + self._told.corrected_by(number))

    def begin(self, now_ms: float) -> list[Outgoing]:
        """Say who is there and what is known; take back what an earlier session left on the broker."""
        messages = [self.state(now_ms), self._prescription(now_ms)]
        if not self._calibrations:
            messages.append(Outgoing(Channel.CALIBRATION, self._ids, now_ms, None))
        return messages

    def ask(self, prescription: Prescription | None, now_ms: float) -> list[Outgoing]:
        """Say what is asked from now on; None: nothing is."""
        self._ask(prescription)
        return [self.state(now_ms), self._prescription(now_ms)]

    def forget_calibrations(self, now_ms: float) -> list[Outgoing]:
        """Say that how the sensors sit is found out anew."""
        self._calibrations = {}
        return [Outgoing(Channel.CALIBRATION, self._ids, now_ms, None), self.state(now_ms)]

    def _ask(self, asked: Prescription | None) -> None:
        self._asked = asked
        self._exercise, self._side = _exercise_of(asked), _side_of(asked)

    def _prescription(self, now_ms: float) -> Outgoing:
        data = (
            None
            if self._asked is None
            else payloads.Prescription(
                athlete=self._card.athlete_id,
                exercise=_exercise_of(self._asked),
                side=_side_of(self._asked),
                **msgspec.structs.asdict(target_payload(self._asked)),
            )
        )
        return Outgoing(Channel.PRESCRIPTION, self._ids, now_ms, data)

    def tell(self, output: PipelineOutput) -> list[Outgoing]:
        """Turn the answer to one push into messages, in their order."""
        before, self._live = self._live, output.live or self._live
        messages = [message for event in output.events for message in self._event(event)]
        messages += [self._live_message(samples) for samples in self._angles.push(output.angles)]
        if self._live is not None and (output.events or _shown(before) != _shown(self._live)):
            messages.append(self.state(self._ms(self._live.time_ns)))
        return messages

    @property
    def finished_sets(self) -> int | None:
        """Sets that are over, as the pipeline counts them; None while one is under way."""
        if self._live is None or self._live.repetition_count:
            return None
        return self._live.set_number - 1

    def correct(self, remeasured: Remeasured, sets: int | None) -> list[Outgoing]:
        """Say anew what was measured again of the first so many sets that the pipeline finished, or of all.

        Repetitions, sets and movements broken off that were told keep their ids and get a higher revision;
        those that do not exist after all are withdrawn.
        """
        messages = corrections(self._told, remeasured, sets)
        if messages and self._live is not None:
            messages.append(self.state(self._ms(self._live.time_ns)))
        return messages

    def _ms(self, time_ns: int) -> float:
        return self._to_utc_ns(time_ns) / 1e6

    def _event(self, event: PipelineEvent) -> list[Outgoing]:
        if isinstance(event, CalibrationEvent):
            return [self._calibration(event)]
        messages = self._told.tell(event, self._exercise)
        if isinstance(event, SetEvent):
            self._exercise = str(event.summary.exercise)
            self._side = cast("field_types.Side", str(event.summary.side))
        return messages

    def _calibration(self, event: CalibrationEvent) -> Outgoing:
        found = calibration_payload(event.calibration)
        found = msgspec.structs.replace(found, slip=self._slip(event.calibration))
        self._calibrations[found.placement] = found
        time_ms = self._ms(event.time_ns)
        data = payloads.Calibration(
            athlete=self._card.athlete_id, t_ms=time_ms, calibration=list(self._calibrations.values())
        )
        return Outgoing(Channel.CALIBRATION, self._ids, time_ms, data)

    def _slip(self, calibration: SegmentCalibration) -> payloads.Slip | None:
        """Say where in the set it slipped: it is told two tops later."""
        if calibration.slip_deg is None:
            return None
        known = self._calibrations.get(str(calibration.placement))
        if known and known.slip and known.slip.angle_deg == calibration.slip_deg:
            return known.slip
        live = self._live
        return payloads.Slip(
            angle_deg=calibration.slip_deg,
            set=live.set_number + self._told.shift if live else 0,
            repetition=max(0, live.repetition_count - TOPS_SINCE) if live else 0,
        )

    def _live_message(self, samples: LiveSamples) -> Outgoing:
        live = self._live
        time_ms = self._ms(samples.last_ns)
        number, repetition = self.running
        onset = live.eccentric_start_ns if live else None
        count = live.count if live else None
        data = payloads.Live(
            t_ms=time_ms,
            rate_hz=samples.rate_hz,
            posture=cast("payloads.Posture", str(live.posture) if live else "unknown"),
            phase=_phase(live),
            set=number,
            repetition=repetition,
            eccentric_start_ms=None if onset is None else self._ms(onset),
            depth=_share(live.depth_fraction if live else None),
            count=count.count if count else None,
            count_of=count.of if count else None,
            early_s=None if count is None or count.early_s is None else round(count.early_s, 2),
            **{name: _rounded(values) for name, values in samples.angles_deg.items()},
        )
        return Outgoing(Channel.LIVE, self._ids, time_ms, data)

    def state(self, time_ms: float) -> Outgoing:
        """Draw the picture for late joiners."""
        live = self._live
        number, repetition = self.running
        data = payloads.AthleteState(
            athlete=self._card.athlete_id,
            name=self._card.name,
            session=self._card.session,
            exercise=self._exercise,
            side=self._side,
            set=number,
            repetition=repetition,
            phase=_phase(live),
            target=target_payload(self._asked) if self._asked else None,
            last_repetition=self._told.last_repetition(),
            repetitions=[brief_payload(each) for each in self._told.counted(number)[-MOST_LISTED:]],
            calibration=list(self._calibrations.values()),
            sensors=list(self._card.sensors),
        )
        return Outgoing(Channel.STATE, self._ids, time_ms, data)


def _exercise_of(asked: Prescription | None) -> str:
    return str((asked.exercise if asked else None) or Exercise.OTHER)


def _side_of(asked: Prescription | None) -> field_types.Side:
    return cast("field_types.Side", str((asked.side if asked else None) or Side.BOTH))


def _shown(live: LiveState | None) -> tuple[object, ...]:
    return () if live is None else (live.phase, live.set_number, live.repetition_count)


def _phase(live: LiveState | None) -> payloads.Phase:
    return cast("payloads.Phase", str(live.phase)) if live else "unknown"


def _share(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(min(1.0, max(0.0, value)))


def _rounded(values: FloatArray) -> payloads.Samples | None:
    if not np.isfinite(values).any():
        return None
    return [round(float(value), 2) if np.isfinite(value) else None for value in values]
