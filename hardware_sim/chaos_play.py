"""Lets go wrong on a virtual radio what a scenario of trouble says, when it says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hardware_sim.chaos import OF_THE_HOST, MishapKind
from hardware_sim.radio_conditions import RadioConditions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hardware_sim.chaos import ChaosScenario, Mishap
    from hardware_sim.radio import VirtualRadio


async def let_go_wrong(
    scenario: ChaosScenario, radio: VirtualRadio, on_host: Callable[[MishapKind], Awaitable[None]]
) -> None:
    """Play the mishaps of a scenario; at the end of its time the air is calm again, and stays so.

    Parameters
    ----------
    scenario
        What goes wrong.
    radio
        The sensors and the air.
    on_host
        Called for what befalls the host, which is not on the radio.
    """
    await radio.playback_begun.wait()
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for at_s, mishap in scenario.strikes():
            await asyncio.sleep(begun_s + at_s - loop.time())
            if mishap.kind in OF_THE_HOST:
                tasks.create_task(_befall(on_host, mishap.kind))
            for sensor_id in radio.peripherals if mishap.sensor is None else (mishap.sensor,):
                tasks.create_task(_strike(radio, sensor_id, mishap))
        await asyncio.sleep(begun_s + scenario.duration_s - loop.time())
    for sensor_id in radio.peripherals:
        radio.set_conditions(sensor_id, RadioConditions())
        radio.fade(sensor_id, 0.0, 0.0)


async def _befall(on_host: Callable[[MishapKind], Awaitable[None]], kind: MishapKind) -> None:
    await on_host(kind)


async def _strike(radio: VirtualRadio, sensor_id: str, mishap: Mishap) -> None:
    duration_s = mishap.duration_s or 0.0
    match mishap.kind:
        case MishapKind.FADE:
            radio.fade(sensor_id, mishap.fade_db, duration_s)
        case MishapKind.OUT_OF_RANGE:
            radio.set_in_range(sensor_id, in_range=False)
            await asyncio.sleep(duration_s)
            radio.set_in_range(sensor_id, in_range=True)
        case MishapKind.LINK_DROP:
            radio.drop_link(sensor_id)
        case MishapKind.HANG_UP:
            await radio.hang_up(sensor_id)
        case MishapKind.FREEZE:
            radio.peripherals[sensor_id].freeze(duration_s)
        case MishapKind.REBOOT:
            await radio.reboot(sensor_id, dark_s=duration_s)
        case MishapKind.BATTERY_EMPTY:
            await radio.reboot(sensor_id, dark_s=duration_s, is_foreseen=True)
        case MishapKind.CONDITIONS if mishap.radio is not None:
            radio.set_conditions(sensor_id, mishap.radio)
        case _:
            pass
