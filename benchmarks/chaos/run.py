"""One scenario from its first sample to its account."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.chaos.account import Account, arrivals, heard_of, settle, total
from benchmarks.chaos.bridge import TroubledBridge
from benchmarks.chaos.repetitions import Figures, Window, healed, undisturbed
from hardware_sim.chaos_play import let_go_wrong
from hardware_sim.chaos_sources import chaos_sources
from hardware_sim.radio import VirtualRadio
from hardware_sim.sensor_model import SensorModel, address_of
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.config import AthleteConfig, SensorConfig, StreamingConfig
from sensor_bridge.sensor_report import WornSensor

if TYPE_CHECKING:
    from hardware_sim.chaos import ChaosScenario
    from hardware_sim.recording_source import SampleSource
    from sensor_bridge.ble.link import ReceivedFrame

_QUIET_S = 90.0  # longer than a bridge sets a request aside
_LONGEST_AFTERMATH_S = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario.

    Parameters
    ----------
    account
        Every sample of every sensor.
    simulated_s, wall_s
        How long it took the sensors, and this machine, s.
    links
        Links that were made.
    healed, undisturbed
        Repetitions of each set, as measured after all has come, and as they would be without any trouble.
    n_repetitions
        How many repetitions the athlete really did in each set.
    """

    account: Account
    simulated_s: float
    wall_s: float
    links: int
    healed: tuple[tuple[Figures, ...], ...]
    undisturbed: tuple[tuple[Figures, ...], ...]
    n_repetitions: int

    @property
    def counts_agree(self) -> bool:
        """Whether as many repetitions were found in every set as there were."""
        return all(
            len(one) == len(other) == self.n_repetitions
            for one, other in zip(self.healed, self.undisturbed, strict=True)
        )


def run(scenario: ChaosScenario) -> Outcome:
    """Run a scenario in virtual time; each time the same happens."""
    chance = random.getstate()
    random.seed(scenario.seed)  # the links scatter their clock requests
    try:
        return run_in_virtual_time(_run(scenario))
    finally:
        random.setstate(chance)


async def _run(scenario: ChaosScenario) -> Outcome:
    started_s = time.perf_counter()
    played = chaos_sources(scenario)
    worn = _worn(scenario, played.sources)
    loop = asyncio.get_running_loop()
    model = SensorModel(**asdict(scenario.memory))
    async with VirtualRadio(played.sources, seed=scenario.seed, radio=scenario.radio, model=model) as radio:
        bridge = TroubledBridge(radio, worn, scenario.seed)
        bridge.start()
        try:
            await let_go_wrong(scenario, radio, bridge.befall)
            await _aftermath(bridge)
        finally:
            await bridge.stop()
        made = {
            sensor_id: each.stream.made_streams(loop.time()) for sensor_id, each in radio.peripherals.items()
        }
        came = arrivals(bridge.log)
        accounts = [
            settle(
                source,
                made[source.sensor_id],
                came,
                heard_of(bridge.log, source.sensor_id),
                bridge.planners[source.sensor_id].account.lost,
            )
            for source in played.sources
        ]
        simulated_s = loop.time()
        athlete = next(iter(worn.values())).athlete
        rate_hz = played.sources[0].rate.hz
        windows = [Window.around(start_s, played.set_s, rate_hz) for start_s in scenario.sets_at_s]
        return Outcome(
            total(accounts),
            simulated_s,
            time.perf_counter() - started_s,
            bridge.n_links,
            tuple([tuple(await healed(athlete, came, made, window)) for window in windows]),
            tuple(
                [
                    tuple(await undisturbed(athlete, played.sources, window, scenario.batch))
                    for window in windows
                ]
            ),
            played.n_repetitions,
        )


async def _aftermath(bridge: TroubledBridge) -> None:
    """Wait until no samples have come for a while."""
    loop = asyncio.get_running_loop()
    last_s, end_s, n_seen = loop.time(), loop.time() + _LONGEST_AFTERMATH_S, len(bridge.log)
    while loop.time() - last_s < _QUIET_S and loop.time() < end_s:
        await asyncio.sleep(1.0)
        if any(_brings_samples(frame) for frame in bridge.log[n_seen:]):
            last_s = loop.time()
        n_seen = len(bridge.log)


def _brings_samples(frame: ReceivedFrame) -> bool:
    return frame.kind in {FrameKind.DATA, FrameKind.BULK}


def _worn(scenario: ChaosScenario, sources: tuple[SampleSource, ...]) -> dict[str, WornSensor]:
    sensors = tuple(
        SensorConfig.model_validate(
            {
                "id": source.sensor_id,
                "placement": source.placement,
                "mount": source.mount,
                "address": address_of(source.sensor_id),
            }
        )
        for source in sources
    )
    athlete = AthleteConfig(id="athlete", sensors=sensors)
    streaming = StreamingConfig(sampling_rate_hz=scenario.athlete.rate_hz, batch=scenario.batch)
    return {each.id: WornSensor(athlete, each, streaming) for each in sensors}
