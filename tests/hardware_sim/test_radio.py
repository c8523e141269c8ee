from __future__ import annotations

import asyncio

import pytest

from hardware_sim.errors import HardwareSimError, RadioConditionsError
from hardware_sim.peripheral import address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.radio_link import RadioLink
from tests.sensor_bridge.ble.radio_bench import QUICK, in_virtual_time, source


@pytest.mark.parametrize(
    "wrong",
    [
        {"packet_error_rate": 1.0},
        {"advertising_loss": -0.1},
        {"host_loss": 1.5},
        {"connection_interval_ms": 5.0},
        {"packets_per_event": 0},
        {"supervision_timeout_s": 60.0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_conditions_that_cannot_be(wrong):
    with pytest.raises(RadioConditionsError, match=next(iter(wrong))):
        RadioConditions(**wrong)


@pytest.mark.parametrize(
    ("rssi_dbm", "fade_db", "audible", "error_rate"),
    [
        (-60, 0, True, 0.2),
        (-60, 25, True, 0.2),
        (-60, 30, True, 0.6),
        (-60, 35, False, 1.0),
        (-60, 60, False, 1.0),
    ],
)
def test_a_weak_signal_fades_out(rssi_dbm, fade_db, audible, error_rate):
    conditions = RadioConditions(rssi_dbm=rssi_dbm, packet_error_rate=0.2)
    assert conditions.is_audible(fade_db) is audible
    assert conditions.error_rate(fade_db) == pytest.approx(error_rate)


async def test_chance_follows_the_seed():
    def levels(seed):
        link = RadioLink(RadioConditions(), seed)
        return [link.random.random() for _ in range(5)]

    assert levels(7) == levels(7)
    assert levels(7) != levels(8)


@pytest.mark.parametrize("sources", [(), (source("a"), source("a"))], ids=["none", "the same twice"])
def test_sources_that_cannot_be_played(sources):
    with pytest.raises(HardwareSimError, match="source"):
        VirtualRadio(sources)


async def test_a_radio_that_is_off_says_so():
    radio = VirtualRadio([source()])
    with pytest.raises(HardwareSimError, match="open it"):
        radio.bleak_backends()
    with pytest.raises(HardwareSimError, match="open it"):
        radio.drop_link("pelvis")


@in_virtual_time
async def test_playback_ends_without_any_listener():
    async with VirtualRadio([source(n=20)], radio=QUICK) as radio:
        radio.begin()
        assert not radio.playback_finished.is_set()
        await asyncio.wait_for(radio.playback_finished.wait(), 2)


async def test_sources_of_one_clock_keep_their_distance():
    late = source("left", 20)
    late = type(late)(
        "left", late.placement, late.mount, late.rate, late.accel_range, late.gyro_range,
        late.device_time_us + 500_000, late.counts,
    )  # fmt: skip
    for shared_clock, distance_s in ((True, 0.5), (False, 0.0)):
        async with VirtualRadio(
            [source("pelvis", 20), late], radio=QUICK, shared_clock=shared_clock
        ) as radio:
            radio.begin()
            ends = [radio.peripherals[name].ends_at_s for name in ("pelvis", "left")]
            assert ends[1] - ends[0] == pytest.approx(distance_s)


async def test_addresses_and_names():
    async with VirtualRadio([source("pelvis"), source("left")], radio=QUICK, names={"left": "clip"}) as radio:
        assert {each.address for each in radio.peripherals.values()} == {
            address_of("pelvis"),
            address_of("left"),
        }
        assert [each.name for each in radio.peripherals.values()] == ["Hipline pelvis", "clip"]
