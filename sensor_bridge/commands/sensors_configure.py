"""``hipline sensors configure``: rate, ranges and batch of a sensor's next stream."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from sensor_bridge.ble.settings import ACCEL_G, GYRO_DPS, StreamSettings
from sensor_bridge.commands.sensor_access import hipline_linked, step
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import UserInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import TypeVar

    from firmware_protocol.packets import DeviceInfo
    from sensor_bridge.config import Config, StreamingConfig

    _T = TypeVar("_T")

_MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user names; None for what the configuration says.

    Parameters
    ----------
    rate_hz, accel_range_g, gyro_range_dps, batch
        In the units of their names; samples a packet.
    """

    rate_hz: float | None = None
    accel_range_g: int | None = None
    gyro_range_dps: int | None = None
    batch: int | None = None


def configure(
    word: str, wish: Wish, config_path: Path | None, virtual_port: int | None, *, stop_stream: bool
) -> None:
    """Ask a sensor to measure as wished, and print what it took.

    Raises
    ------
    UserInputError
        The sensor does not offer it.
    BridgeError
        It is not there, or refuses.
    """
    took = asyncio.run(_configure(word, wish, load_config(config_path), virtual_port, stop_stream))
    Console(highlight=False).print(f"{printable(word)} took {_in_words(took)}.", markup=False, soft_wrap=True)


def exact_settings(wish: Wish, streaming: StreamingConfig, info: DeviceInfo) -> StreamSettings:
    """Find among what a sensor offers exactly what is wished.

    Parameters
    ----------
    wish
        What the user names.
    streaming
        For the rest.
    info
        What the sensor offers.

    Raises
    ------
    UserInputError
        It does not offer that; the text says what it offers.
    """
    batch = streaming.batch if wish.batch is None else wish.batch
    if not 1 <= batch <= info.max_batch:
        raise UserInputError(f"{info.serial} sends 1 to {info.max_batch} samples a packet, not {batch}")
    return StreamSettings(
        _offered(
            "--rate", "Hz", wish.rate_hz, streaming.sampling_rate_hz, {r: r.hz for r in info.rates}, info
        ),
        _offered(
            "--accel-range",
            "g",
            wish.accel_range_g,
            streaming.accel_range_g,
            {each: ACCEL_G[each] for each in info.accel_ranges},
            info,
        ),
        _offered(
            "--gyro-range",
            "°/s",
            wish.gyro_range_dps,
            streaming.gyro_range_dps,
            {each: GYRO_DPS[each] for each in info.gyro_ranges},
            info,
        ),
        batch,
    )


def _offered(
    option: str,
    unit: str,
    wished: float | None,
    configured: float,
    offers: Mapping[_T, float],
    info: DeviceInfo,
) -> _T:
    value = configured if wished is None else wished
    for member, size in offers.items():
        if size == value:
            return member
    whence = "as the configuration says" if wished is None else "as asked for"
    raise UserInputError(
        f"{info.serial} does not offer {value:g} {unit}, {whence}: choose {option} from "
        f"{_listed(offers.values())} {unit}"
    )


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _in_words(took: StreamSettings) -> str:
    packet_ms = took.frame_s * _MS_PER_S
    return (
        f"{took.sampling_rate.hz:g} Hz, ±{ACCEL_G[took.accel_range]} g, ±{GYRO_DPS[took.gyro_range]} °/s, "
        f"{took.batch} samples a packet (one every {packet_ms:.0f} ms)"
    )


async def _configure(
    word: str, wish: Wish, config: Config, virtual_port: int | None, stop_stream: bool
) -> StreamSettings:
    async with hipline_linked(word, config, virtual_port) as link:
        wanted = exact_settings(wish, config.streaming, link.info)
        with step("setting ..."):
            if stop_stream:
                await link.stop()
            await link.configure(wanted)
        return wanted
