"""What Home Assistant is told of a configured gym."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sensor_bridge.home_assistant.announcement import announced_to_home_assistant
from sensor_bridge.home_assistant.discovery import Shown, discovery
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor_bridge.config import Config
    from sensor_bridge.mqtt.retained import RetainedBoard

MEMORY_NAME = "home_assistant.json"


@contextmanager
def with_home_assistant(config: Config, board: RetainedBoard) -> Iterator[RetainedBoard]:
    """Keep on the board what Home Assistant shall know, and take back what it shall not know any more."""
    with announced_to_home_assistant(board, home_assistant(config), config.data_folder / MEMORY_NAME):
        yield board


def home_assistant(config: Config) -> dict[str, dict[str, Any]]:
    """Return the payloads to keep for Home Assistant by topic; none where its discovery is off."""
    if not config.home_assistant.discovery:
        return {}
    sensors = [sensor for athlete in config.athletes for sensor in athlete.sensors]
    return discovery(
        Topics(config.gym),
        SERVICE,
        [Shown(athlete.id, athlete.name) for athlete in config.athletes],
        [Shown(sensor.id, f"Sensor {sensor.id}") for sensor in sensors],
        prefix=config.home_assistant.prefix,
        version=version("hipline"),
    )
