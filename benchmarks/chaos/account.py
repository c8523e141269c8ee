"""What became of every sample, held against what the virtual sensors really made."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firmware_protocol.codec import decode_frame, decode_notified, decode_status
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import BulkPage
from sensor_bridge.ble.link import FrameKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from firmware_protocol.packets import ImuFrame
    from hardware_sim.peripheral_stream import MadeStream
    from hardware_sim.recording_source import SampleSource
    from sensor_bridge.ble.link import ReceivedFrame


@dataclass(frozen=True, slots=True)
class Account:
    """Samples of all sensors of a run.

    Parameters
    ----------
    streams
        Streams that the sensors began.
    made
        Samples that the sensors made for them.
    delivered
        Of these: that came live, or from the sensor's RAM after a resume.
    backfilled
        That came from flash and not otherwise.
    vanished
        That were in a sensor's RAM only when it broke down, behind the last of which anybody had heard:
        the bridge cannot know how many they were. At most one flash page a breakdown, since a full page is
        in flash; none where nothing breaks down, or the sensor foresees it.
    reported_lost
        What the bridge says it lacks.
    doubles
        That came again.
    wrong
        That came with a number, a time or a content that is not theirs.
    """

    streams: int
    made: int
    delivered: int
    backfilled: int
    vanished: int
    reported_lost: int
    doubles: int
    wrong: int

    @property
    def imbalance(self) -> int:
        """Samples for which nobody accounts; 0, or something is wrong."""
        return self.made - self.delivered - self.backfilled - self.vanished - self.reported_lost


@dataclass(frozen=True, slots=True)
class Arrival:
    """Samples that came: the frame, whether out of flash, and what was received."""

    frame: ImuFrame
    is_page: bool
    received: ReceivedFrame


def arrivals(log: Iterable[ReceivedFrame]) -> list[Arrival]:
    """Pick what held samples out of all that was received."""
    came = []
    for received in log:
        if received.kind is FrameKind.DATA:
            came.append(Arrival(decode_frame(received.payload), False, received))
        elif received.kind is FrameKind.BULK:
            with contextlib.suppress(ProtocolError):  # damaged on its way
                told = decode_notified(received.payload)
                if isinstance(told, BulkPage):
                    came.append(Arrival(told.frame, True, received))
    return came


def heard_of(log: Iterable[ReceivedFrame], sensor_id: str) -> dict[int, int]:
    """Tell how far each stream of a sensor must have come, by what it says in STATUS: the next index."""
    heard: dict[int, int] = {}
    for received in log:
        if received.sensor_id == sensor_id and received.kind is FrameKind.STATUS:
            status = decode_status(received.payload)
            if status.newest_sample_index:
                known = heard.get(status.stream_id, 0)
                heard[status.stream_id] = max(known, status.newest_sample_index + 1)
    return heard


def settle(
    source: SampleSource,
    made: Iterable[MadeStream],
    came: Iterable[Arrival],
    heard: Mapping[int, int],
    reported_lost: int,
) -> Account:
    """Close the account of one sensor.

    Parameters
    ----------
    source
        What the sensor played.
    made
        What the sensor made of it.
    came
        What the bridge received, of this sensor and others.
    heard
        How far each stream must have come, by STATUS.
    reported_lost
        What the bridge says it lacks.
    """
    content = source.counts.astype("<i2").tobytes()
    frames: dict[int, list[tuple[ImuFrame, bool]]] = {}
    for each in came:
        if each.received.sensor_id == source.sensor_id:
            frames.setdefault(each.frame.stream_id, []).append((each.frame, each.is_page))
    totals = np.zeros(6, dtype=np.int64)
    streams = list(made)
    for stream in streams:
        is_live = np.zeros(stream.n_samples, dtype=np.bool_)
        is_stored = np.zeros(stream.n_samples, dtype=np.bool_)
        doubles = wrong = 0
        boot_us = None
        for frame, is_page in frames.pop(stream.stream_id, []):
            first, end = frame.first_sample_index, frame.first_sample_index + frame.n_samples
            position = stream.origin + first
            clock_us = int(source.device_time_us[position]) - frame.device_time_us
            boot_us = clock_us if boot_us is None else boot_us
            is_right = (
                end <= stream.n_samples
                and clock_us == boot_us
                and content[12 * position : 12 * (position + frame.n_samples)] == frame.samples
            )
            wrong += 0 if is_right else frame.n_samples
            doubles += int(np.count_nonzero(is_live[first:end] | is_stored[first:end]))
            (is_stored if is_page else is_live)[first:end] = True
        there = np.flatnonzero(is_live | is_stored)
        known = max(
            int(there[-1]) + 1 if len(there) else 0, stream.n_outlasting, heard.get(stream.stream_id, 0)
        )
        totals += (
            stream.n_samples,
            np.count_nonzero(is_live),
            np.count_nonzero(is_stored & ~is_live),
            max(stream.n_samples - known, 0),
            doubles,
            wrong,
        )
    strangers = sum(frame.n_samples for each in frames.values() for frame, _ in each)
    n_made, delivered, backfilled, vanished, doubles, wrong = (int(total) for total in totals)
    return Account(
        streams=len(streams),
        made=n_made,
        delivered=delivered,
        backfilled=backfilled,
        vanished=vanished,
        reported_lost=reported_lost,
        doubles=doubles,
        wrong=wrong + strangers,
    )


def total(accounts: Sequence[Account]) -> Account:
    """Add up the accounts of several sensors."""
    names = Account.__dataclass_fields__
    return Account(**{name: sum(getattr(each, name) for each in accounts) for name in names})
