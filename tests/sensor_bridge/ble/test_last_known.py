from __future__ import annotations

import pytest

from sensor_bridge.ble.last_known import LastKnown
from sensor_bridge.errors import SensorNotFound
from tests.sensor_bridge.ble.radio_bench import Wish


def test_a_sensor_known_by_name_is_looked_for_where_it_was_and_in_between_by_its_name() -> None:
    known = LastKnown(Wish("hip", name="clip"))
    assert known.address_to_try() is None
    known.linked("AA:BB", "s1")
    assert [known.address_to_try() for _ in range(4)] == ["AA:BB", None, "AA:BB", None]


def test_another_sensor_of_that_name_is_refused_and_both_are_named() -> None:
    known = LastKnown(Wish("hip", name="clip"))
    known.linked("AA:BB", "s1")
    known.linked("CC:DD", "s1")  # it may change its address
    with pytest.raises(SensorNotFound, match=r"'clip' at EE:FF has serial s2, .* until now had s1"):
        known.linked("EE:FF", "s2")
    assert known.address_to_try() == "CC:DD"


def test_an_address_in_the_configuration_is_the_last_word() -> None:
    known = LastKnown(Wish("hip", address="AA:BB"))
    known.linked("AA:BB", "s1")
    known.linked("AA:BB", "s2")  # its board was changed
    assert {known.address_to_try() for _ in range(3)} == {None}


def test_a_battery_that_was_nearly_empty_is_part_of_the_reason() -> None:
    known = LastKnown(Wish("hip"))
    assert known.explained("hip: gone") == "hip: gone"
    known.charged(40)
    assert known.explained("hip: gone") == "hip: gone"
    known.charged(3)
    assert known.explained("hip: gone") == "hip: gone (its battery was at 3 % when last heard: charge it)"
