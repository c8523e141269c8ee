"""Which broker ``hipline watch`` listens to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sensor_bridge.access.tokens import read_tokens
from sensor_bridge.announcement import announcement_path, demo_announcement_path, read_announcement
from sensor_bridge.config_file import load_config, read_dashboard_password
from sensor_bridge.mqtt.settings import MqttSettings
from sensor_bridge.mqtt.users import COACH_USER

if TYPE_CHECKING:
    from pathlib import Path


def find_broker(config_path: Path | None) -> tuple[MqttSettings, str]:
    """Find the broker of a configuration, of the user's own, or of a running demo.

    Parameters
    ----------
    config_path
        A configuration; None: the user's own if its bridge runs, else a demo's.

    Returns
    -------
    tuple[MqttSettings, str]
        How to connect, and the gym.

    Raises
    ------
    ConfigError
        The configuration cannot be read.
    BrokerUnavailable
        Nothing runs here.
    """
    client_id = f"watch-{os.getpid()}"
    config = load_config(config_path)
    mqtt = config.mqtt
    if mqtt.broker == "external":
        coach, password = mqtt.dashboard_username, read_dashboard_password(mqtt)
        if coach is None and (token := read_tokens(config.data_folder).get(COACH_USER)):
            coach, password = COACH_USER, token
        settings = MqttSettings(
            client_id=client_id,
            host=mqtt.host,
            port=mqtt.external_port,
            username=coach,
            password=password,
            tls=mqtt.tls,
            ca_file=mqtt.ca_file,
        )
        return settings, config.gym
    path = announcement_path(config.data_folder)
    if config_path is None and not path.exists():
        path = demo_announcement_path()
    announcement = read_announcement(path)
    return announcement.settings(client_id), announcement.gym
