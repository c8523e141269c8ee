"""Athletes and sensors as Home Assistant's MQTT device discovery describes them (2024.11 and newer). Pure.

An athlete is a device with repetitions and sets, a sensor one with battery and link. Their values are read
from the retained `state` and `status` messages; live angles stay out of its recorder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor_bridge.mqtt.topics import Topics

_ORIGIN = "Hipline"
_DIAGNOSTIC = {"entity_category": "diagnostic"}


@dataclass(frozen=True, slots=True)
class Shown:
    """An athlete or a sensor, and the name people read."""

    id: str
    name: str


def discovery(
    topics: Topics,
    service: str,
    athletes: Sequence[Shown],
    sensors: Sequence[Shown],
    *,
    prefix: str,
    version: str,
) -> dict[str, dict[str, Any]]:
    """Describe each athlete and each sensor.

    Parameters
    ----------
    topics
        The gym.
    service
        The service whose status says whether anything is measured.
    athletes, sensors
        Who and what is there.
    prefix
        Home Assistant's discovery prefix.
    version
        Of the program.

    Returns
    -------
    dict
        Payload by topic, each to be retained.
    """
    node = f"hipline-{topics.gym}"
    shared = {
        "origin": {"name": _ORIGIN, "sw_version": version},
        "availability": [
            {"topic": topics.service_status(service), "value_template": "{{ value_json.data.state }}"}
        ],
        "qos": 1,
    }

    def device(kind: str, shown: Shown, state_topic: str, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        name = f"{node}-{kind}-{shown.id}"
        return {
            "device": {"identifiers": [name], "name": shown.name, "manufacturer": _ORIGIN, "model": kind},
            **shared,
            "state_topic": state_topic,
            "components": {part: {"unique_id": f"{name}-{part}", **how} for part, how in parts.items()},
        }

    described = {
        f"athlete-{athlete.id}": device("athlete", athlete, topics.state(athlete.id), _ATHLETE)
        for athlete in athletes
    }
    described |= {
        f"sensor-{sensor.id}": device("sensor", sensor, topics.sensor_status(sensor.id), _SENSOR)
        for sensor in sensors
    }
    return {f"{prefix}/device/{node}/{key}/config": payload for key, payload in described.items()}


_ATHLETE: dict[str, dict[str, Any]] = {
    "repetitions": {
        "platform": "sensor",
        "name": "Repetitions",
        "icon": "mdi:counter",
        "state_class": "measurement",
        "value_template": "{{ value_json.data.repetition }}",
    },
    "set": {
        "platform": "sensor",
        "name": "Set",
        "icon": "mdi:weight-lifter",
        "state_class": "measurement",
        "value_template": "{{ value_json.data.set }}",
    },
}

_SENSOR: dict[str, dict[str, Any]] = {
    "battery": {
        "platform": "sensor",
        "name": "Battery",
        "device_class": "battery",
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "value_template": "{{ value_json.data.battery_percent }}",  # None where it is not known
        **_DIAGNOSTIC,
    },
    "link": {
        "platform": "binary_sensor",
        "name": "Link",
        "device_class": "connectivity",
        "value_template": "{{ 'ON' if value_json.data.link == 'connected' else 'OFF' }}",
        **_DIAGNOSTIC,
    },
}
