"""A sensor is understood by its id, its address or its name."""

from __future__ import annotations

from sensor_bridge.commands.sensor_access import asked_sensor
from sensor_bridge.config import Config

ADDRESS = "C0:DE:00:00:00:01"
CONFIG = Config.model_validate(
    {
        "streaming": {"sampling_rate_hz": 200, "batch": 4},
        "athletes": [
            {
                "id": "robin",
                "sensors": [
                    {"id": "hip", "placement": "pelvis", "address": ADDRESS, "kind": "movella-dot"},
                    {"id": "left", "placement": "thigh_left", "name": "Hipline 0002"},
                ],
            }
        ],
    }
)


def test_an_id_stands_for_what_the_configuration_says_of_it() -> None:
    hip = asked_sensor("hip", CONFIG)
    assert (hip.sensor_id, hip.address, hip.name, hip.kind) == ("hip", ADDRESS, None, "movella-dot")
    left = asked_sensor("left", CONFIG)
    assert (left.sensor_id, left.address, left.name, left.kind) == ("left", None, "Hipline 0002", None)
    assert (left.sampling_rate_hz, left.batch) == (200, 4)


def test_an_address_is_known_in_any_case_and_its_kind_is_that_of_the_configuration() -> None:
    assert asked_sensor(ADDRESS.lower(), CONFIG).address == ADDRESS
    assert asked_sensor(ADDRESS.lower(), CONFIG).kind == "movella-dot"
    assert asked_sensor("12345678-1234-1234-1234-123456789abc", CONFIG).address is not None
    stranger = asked_sensor("c0:de:00:00:00:09", CONFIG)
    assert (stranger.address, stranger.kind) == ("C0:DE:00:00:00:09", None)


def test_anything_else_is_a_name() -> None:
    assert asked_sensor("Hipline 0003", CONFIG).address is None
    assert asked_sensor("Hipline 0003", CONFIG).name == "Hipline 0003"
