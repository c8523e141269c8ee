"""``hipline sensors assign``: who wears which sensor where, written into the configuration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Console

from analytics.imu import Placement
from sensor_bridge.commands.moved_wizard import recognise
from sensor_bridge.commands.sensor_access import SEARCH_S, asked_sensor, chosen_adapter, step
from sensor_bridge.commands.watch_words import placement_words, printable
from sensor_bridge.config_edit import Assignment, assign
from sensor_bridge.config_file import default_config_path, load_config_or_none_yet
from sensor_bridge.errors import SensorNotFound, UserInputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analytics.imu import Mount
    from sensor_bridge.commands.sensor_access import AskedSensor
    from sensor_bridge.config import Config

_LISTEN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Wearing:
    """What the user says of it.

    Parameters
    ----------
    athlete_id
        Who.
    placements
        Where; none for what there are sensors for.
    mount, athlete_name, sensor_id
        As in `sensor_bridge.config_edit.Assignment`.
    """

    athlete_id: str
    placements: tuple[Placement, ...] = ()
    mount: Mount | None = None
    athlete_name: str | None = None
    sensor_id: str | None = None


def assign_named(word: str, wearing: Wearing, config_path: Path | None, virtual_port: int | None) -> None:
    """Assign a sensor that the user names.

    Raises
    ------
    UserInputError
        Not exactly one placement, or the configuration would not be in order.
    SensorNotFound
        A sensor named by its name was not heard: only its address can be written.
    """
    if len(wearing.placements) != 1:
        raise UserInputError("say with one --placement where it is worn: pelvis, thigh_left or thigh_right")
    config = load_config_or_none_yet(config_path)
    sensor = asked_sensor(word, config)
    address = sensor.address
    if address is None:
        address = asyncio.run(_heard_address(sensor, config, virtual_port))
    _write({wearing.placements[0]: address}, wearing, config_path)


def assign_by_moving(wearing: Wearing, config_path: Path | None, virtual_port: int | None) -> None:
    """Let the user move the sensors one after the other, and assign those that are recognised.

    Raises
    ------
    UserInputError
        Fewer sensors than places, or the configuration would not be in order.
    BridgeError
        Nobody was heard, or it could not be told which one was moved.
    """
    if wearing.sensor_id is not None and len(wearing.placements) != 1:
        raise UserInputError("--id names one sensor: give one --placement with it")
    if len(set(wearing.placements)) < len(wearing.placements):
        raise UserInputError("a --placement is named twice: each has one sensor")
    config = load_config_or_none_yet(config_path)
    _write(asyncio.run(_recognised(wearing, config, virtual_port)), wearing, config_path)


async def _heard_address(sensor: AskedSensor, config: Config, virtual_port: int | None) -> str:
    async with chosen_adapter(config, virtual_port) as adapter:
        with step(f"listening for {sensor.sensor_id} ..."):
            return (await adapter.find(sensor, SEARCH_S)).sighting.address


async def _recognised(wearing: Wearing, config: Config, virtual_port: int | None) -> dict[Placement, str]:
    async with chosen_adapter(config, virtual_port) as adapter:
        with step(f"listening for {_LISTEN_S:g} s ..."):
            heard = await adapter.scan(_LISTEN_S)
        if not heard:
            raise SensorNotFound("no sensor was heard; are they charged, switched on and near?")
        placements = wearing.placements or tuple(Placement)[: len(heard)]
        if len(placements) > len(heard):
            raise UserInputError(
                f"{len(placements)} places but {len(heard)} sensors heard: switch on the others, or name "
                "fewer with --placement"
            )
        return await recognise(adapter, heard, placements, config)


def _write(addresses: Mapping[Placement, str], wearing: Wearing, config_path: Path | None) -> None:
    path = config_path or default_config_path()
    config = assign(
        path,
        [
            Assignment(
                wearing.athlete_id, placement, address, wearing.mount, wearing.athlete_name, wearing.sensor_id
            )
            for placement, address in addresses.items()
        ],
    )
    console = Console(highlight=False)
    athlete = next(each for each in config.athletes if each.id == wearing.athlete_id)
    for sensor in athlete.sensors:
        where = f"{placement_words(sensor.placement)}, {sensor.mount}"
        whom = printable(sensor.address or sensor.name or "")
        is_new = addresses.get(sensor.placement) == sensor.address
        console.print(
            f"{printable(athlete.name)}: {where}: {whom}{'' if is_new else ' (as before)'}",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"written to {path}", markup=False, soft_wrap=True)
