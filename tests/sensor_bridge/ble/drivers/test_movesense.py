from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.errors import FieldOutOfRange, ProtocolError, Truncated, UnknownPacket
from sensor_bridge.ble.driver import Advertisement
from sensor_bridge.ble.drivers.movesense import NOTIFICATION, MovesenseDriver
from sensor_bridge.errors import CommandRefused
from tests.sensor_bridge.ble.drivers.wire import WISH, ToldSensor, data, decoder

# Our subscription is 99 = 63h. Two samples at 1000 ms: 1 2 3 and 4 5 6 m/s², 90 0 0 and 0 -90 0 °/s.
ACC = "0000803f 00000040 00004040 00008040 0000a040 0000c040"
GYR = "0000b442 00000000 00000000 00000000 0000b4c2 00000000"
BATCH = bytes.fromhex("e8030000" + ACC + GYR)
WHOLE = bytes.fromhex("0263") + BATCH


def at(time_ms: int) -> bytes:
    return WHOLE[:2] + time_ms.to_bytes(4, "little") + WHOLE[6:]


def test_a_batch_in_its_units():
    (run,) = decoder("movesense", 104.0).push(data(WHOLE))
    assert (run.stream_id, run.first_sample_index, run.device_time_us) == (7, 0, 1_000_000)
    assert run.acc_m_s2 == pytest.approx(np.array([[1, 2, 3], [4, 5, 6]]))
    assert run.gyr_rad_s == pytest.approx(np.radians([[90, 0, 0], [0, -90, 0]]))


@pytest.mark.parametrize("cut", [1, 5, 20, 41])
def test_a_batch_in_two_parts(cut):
    movesense = decoder("movesense", 104.0)
    assert movesense.push(data(bytes.fromhex("0263") + BATCH[:cut])) == []
    (run,) = movesense.push(data(bytes.fromhex("0363") + BATCH[cut:]))
    assert run.acc_m_s2[1] == pytest.approx([4, 5, 6])
    assert movesense.n_rejected == 0


def test_a_first_part_alone_is_counted_and_the_next_batch_read():
    movesense = decoder("movesense", 104.0)
    assert movesense.push(data(WHOLE[:20])) == []
    assert len(movesense.push(data(WHOLE))) == 1
    assert movesense.n_rejected == 1


def test_a_lost_batch_shows_in_the_numbers():
    movesense = decoder("movesense", 104.0)
    runs = [run for time_ms in (1000, 1019, 1058) for run in movesense.push(data(at(time_ms)))]
    assert [run.first_sample_index for run in runs] == [0, 2, 6]


def test_what_is_no_batch_is_refused():
    movesense = decoder("movesense", 104.0)
    assert movesense.push(data("0163c800")) == []  # the answer to the subscription
    for payload, error, reason in (
        (b"\x02", Truncated, "without its head"),
        (b"\x02\x05" + BATCH, FieldOutOfRange, "subscription 5"),
        (b"\x03\x63" + BATCH, ProtocolError, "without its first"),
        (b"\x07\x63" + BATCH, UnknownPacket, "kind 7"),
        (WHOLE[:6] + bytes.fromhex("0000c07f") + WHOLE[10:], FieldOutOfRange, "not a number"),
    ):
        with pytest.raises(error, match=reason):
            movesense.push(data(payload))


def test_known_by_its_name():
    assert MovesenseDriver().recognises(Advertisement("Movesense 202330000123"))
    assert not MovesenseDriver().recognises(Advertisement("Move"))


async def test_subscribed_at_104_hz():
    sensor = ToldSensor(lambda _uuid, _value: [(NOTIFICATION, bytes.fromhex("0163c800"))])
    description = await MovesenseDriver().begin(sensor, WISH, 1)
    assert sensor.written == [("0001", "01 63 " + b"/Meas/IMU6/104".hex(" "))]
    assert description.sampling_rate_hz == 104.0


async def test_a_status_that_is_not_well_is_told():
    sensor = ToldSensor(lambda _uuid, _value: [(NOTIFICATION, bytes.fromhex("01639401"))])
    with pytest.raises(CommandRefused, match="status 404"):
        await MovesenseDriver().begin(sensor, WISH, 1)
