"""The one place where the bridge touches the stand-in world."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hardware_sim import athlete, scenario_file, worn_sensors
from hardware_sim.errors import HardwareSimError
from hardware_sim.handling import HANDLINGS, handled
from hardware_sim.peripheral import address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_hci import attach_hci, serve_hci
from hardware_sim.recording_source import SampleSource, from_si
from hardware_sim.sensor_model import SensorModel
from hardware_sim.vendors import RATES_HZ
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.errors import RecordingError, UserInputError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from analytics.imu import FloatArray
    from hardware_sim.athlete import Performance
    from sensor_bridge.recording.trace import Trace


SKETCH_NAME = "sketch"  # of the virtual board's layout in a configuration; docs/sensors.md shows it
# bumble logs what a radio does (a refused command, a lost line) as errors; those who asked are told anyway.
logging.getLogger("bumble").setLevel(logging.CRITICAL)

_FLASH_SAMPLES: Final = 1_396_736  # 16 MiB: nearly four hours at 100 Hz


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """A virtual athlete's performance, as files will say it.

    Parameters
    ----------
    trace_columns, trace_metadata
        trace/1.
    angle_columns
        The exact angles, columns of the angle file.
    truth
        The truth document: repetitions, phases, sensors.
    """

    trace_columns: Mapping[str, FloatArray]
    trace_metadata: Mapping[str, Any]
    angle_columns: Mapping[str, FloatArray]
    truth: Mapping[str, Any]

    @property
    def duration_s(self) -> float:
        """From the first to the last sample, s."""
        times = self.trace_columns["t"]
        return float(times[-1] - times[0])

    @property
    def n_repetitions(self) -> int:
        """How many repetitions the athlete really did."""
        return len(self.truth["repetitions"])


@dataclass(frozen=True, slots=True, eq=False)
class Playback:
    """What virtual sensors will send.

    Parameters
    ----------
    sources
        One a sensor.
    shared_clock
        Whether the time stamps of all sources are readings of one clock.
    kind
        What kind of sensors they are; None for Hipline's.
    """

    sources: tuple[SampleSource, ...]
    shared_clock: bool = False
    kind: str | None = None

    @property
    def duration_s(self) -> float:
        """Length of the longest source, s."""
        return max(
            float(source.device_time_us[-1] - source.device_time_us[0]) / 1e6 for source in self.sources
        )

    @property
    def worn_sensors(self) -> tuple[dict[str, str], ...]:
        """The sensors as a configuration names them: id, placement, mount, address; the kind where needed."""
        told = {"kind": "generic", "layout": SKETCH_NAME} if self.kind == "generic" else {}
        return tuple(
            {
                "id": source.sensor_id,
                "placement": source.placement,
                "mount": source.mount,
                "address": address_of(source.sensor_id),
            }
            | told
            for source in self.sources
        )

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each sensor that is not Hipline's, by sensor id."""
        return {} if self.kind is None else {source.sensor_id: self.kind for source in self.sources}


def simulate(scenario: str, seed: int) -> Simulation:
    """Let the virtual athlete perform a scenario, by name or by the path of its TOML file.

    Raises
    ------
    UserInputError
        There is no such scenario, or it asks for what cannot be.
    """
    performance = _perform(scenario, seed, None)
    return Simulation(
        trace_columns=worn_sensors.trace_columns(performance),
        trace_metadata=worn_sensors.trace_metadata(performance),
        angle_columns=performance.truth.angle_columns(),
        truth=worn_sensors.truth_document(performance),
    )


def rehearse(
    scenario: str, seed: int, duration_s: float | None, kind: str | None = None
) -> tuple[Playback, dict[str, Any], dict[str, Any]]:
    """Let the virtual athlete perform for virtual sensors.

    Parameters
    ----------
    scenario
        Name or path.
    seed
        The same seed, the same performance.
    duration_s
        Length; as many repetitions are done as fit. None: as the scenario says.
    kind
        What kind of sensors perform, at the rate those have; None for Hipline's, at the scenario's rate.

    Returns
    -------
    tuple
        What the sensors will send, the prescription (empty where none), and the truth document.

    Raises
    ------
    UserInputError
        There is no such scenario, or it asks for what cannot be.
    """
    if kind is not None and kind not in RATES_HZ:
        raise UserInputError(
            f"there is no virtual sensor of kind {kind!r}: choose from {', '.join(RATES_HZ)}"
        )
    performance = _perform(scenario, seed, duration_s, kind)
    prescription = dict(worn_sensors.trace_metadata(performance).get("prescription", {}))
    return (
        Playback(worn_sensors.sample_sources(performance), kind=kind),
        prescription,
        worn_sensors.truth_document(performance),
    )


def is_handling(name: str) -> bool:
    """Tell whether this names something done to sensors that nobody wears."""
    return name in HANDLINGS


def handle(name: str, seed: int, duration_s: float | None) -> Playback:
    """Let virtual sensors be handled: laid on their six sides, or picked up one after the other.

    Parameters
    ----------
    name
        What is done to them.
    seed
        The same seed, the same samples.
    duration_s
        Length, s; None: as long as it usually takes.

    Raises
    ------
    UserInputError
        It cannot be done in so short a time.
    """
    try:
        return Playback(handled(name, seed, duration_s))
    except HardwareSimError as error:
        raise UserInputError(str(error)) from error


def playback_of(trace: Trace, name: str) -> Playback:
    """Let virtual sensors send a recording; their clocks read the recording's own ``t``.

    Parameters
    ----------
    trace
        The recording.
    name
        What to call it in messages.

    Raises
    ------
    RecordingError
        No sensor could have sent it.
    """
    sources = []
    for placement, sensor in trace.sensors.items():
        if sensor.gyr_rad_s is None:
            raise RecordingError(
                f"{name}: {placement} holds accelerations only, and our sensors always send angular rates "
                "too: use hipline analyze"
            )
        try:
            sources.append(
                from_si(
                    str(placement).replace("_", "-"),
                    str(placement),
                    str(trace.mount(placement)),
                    trace.t_s,
                    np.asarray(sensor.acc_m_s2),
                    np.asarray(sensor.gyr_rad_s),
                )
            )
        except HardwareSimError as error:
            raise RecordingError(f"{name}: {error}") from error
    return Playback(tuple(sources), shared_clock=True)


@asynccontextmanager
async def on_air(playback: Playback, seed: int) -> AsyncIterator[tuple[Adapter, asyncio.Event]]:
    """Put virtual sensors on a virtual radio inside this process.

    Yields
    ------
    tuple[Adapter, asyncio.Event]
        The adapter that hears them, and what is set when they have played to the end.
    """
    async with VirtualRadio(
        playback.sources, seed=seed, shared_clock=playback.shared_clock, kinds=playback.kinds
    ) as radio:
        yield Adapter(*radio.bleak_backends()), radio.playback_finished


@asynccontextmanager
async def on_air_for_others(
    playback: Playback,
    seed: int,
    port: int,
    *,
    at_once: bool = False,
    requires_pairing: bool = False,
    has_flash: bool = False,
) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Put virtual sensors on a virtual radio that another process of this machine uses.

    Parameters
    ----------
    playback
        What they send.
    seed
        Of the radio.
    port
        TCP port; 0 takes a free one.
    at_once
        Whether time runs for them at once, and not when all of them have been started.
    requires_pairing
        Whether they take commands only from a host they are paired with.
    has_flash
        Whether they store their samples, to be fetched over BULK.

    Yields
    ------
    tuple[int, asyncio.Event]
        The TCP port, and what is set when they have played to the end.

    Raises
    ------
    UserInputError
        The port is taken.
    """
    flash = _FLASH_SAMPLES if has_flash else 0
    try:
        async with serve_hci(
            playback.sources,
            port,
            seed=seed,
            shared_clock=playback.shared_clock,
            model=SensorModel(requires_pairing=requires_pairing, flash_capacity_samples=flash),
            kinds=playback.kinds,
        ) as (radio, taken):
            if at_once:
                radio.begin()
            yield taken, radio.playback_finished
    except HardwareSimError as error:
        raise UserInputError(str(error)) from error


@asynccontextmanager
async def attached(port: int, bonds_path: Path | None = None) -> AsyncIterator[Adapter]:
    """Use the virtual radio of another process.

    Parameters
    ----------
    port
        Where it is served.
    bonds_path
        Where this computer keeps its bonds with virtual sensors; None: they end with the use.

    Raises
    ------
    UserInputError
        There is none at that port.
    """
    try:
        async with attach_hci(port, bonds_path) as radio:
            yield Adapter(*radio.bleak_backends())
    except HardwareSimError as error:
        raise UserInputError(str(error)) from error


def _perform(scenario: str, seed: int, duration_s: float | None, kind: str | None = None) -> Performance:
    try:
        chosen = scenario_file.load_scenario(scenario)
        if kind is not None:
            chosen = replace(chosen, rate_hz=RATES_HZ[kind])
        if duration_s is not None:
            chosen = athlete.fit_repetitions(chosen, duration_s, seed)
        return athlete.simulate(chosen, seed)
    except HardwareSimError as error:
        raise UserInputError(str(error)) from error
