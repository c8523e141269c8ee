from __future__ import annotations

import pytest

from firmware_protocol import layouts
from firmware_protocol.layouts import LAYOUTS, Layout

SIZES = {
    "DeviceInfo": 18,
    "Start": 10,
    "Stop": 3,
    "Configure": 7,
    "Identify": 4,
    "CommandReply": 10,
    "ImuFrame": 16,
    "StreamStatus": 30,
    "TimeRequest": 11,
    "TimeReply": 23,
    "Fetch": 14,
    "Grant": 4,
    "Survey": 5,
    "Erase": 3,
    "BulkPage": 23,
    "BulkReply": 26,
}


def test_sizes_never_change() -> None:
    assert {layout.packet: layout.size for layout in LAYOUTS} == SIZES


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.packet)
def test_fields_fill_the_packet_without_padding(layout: Layout) -> None:
    widths = {"u8": 1, "u16": 2, "i16": 2, "u32": 4, "u48": 6, "u64": 8}
    assert sum(widths[field.type] for field in layout.fields) == layout.size
    assert len({field.name for field in layout.fields}) == len(layout.fields)


def test_48_bit_integers_are_six_little_endian_bytes() -> None:
    packed = layouts.TIME_REPLY.pack(0x17, 0x0201, 0x0A09080706050403, 0x100F0E0D0C0B, 0x161514131211)
    assert packed.hex() == "170102030405060708090a0b0c0d0e0f10111213141516"
    assert layouts.TIME_REPLY.unpack(packed) == (
        0x17,
        0x0201,
        0x0A09080706050403,
        0x100F0E0D0C0B,
        0x161514131211,
    )


def test_full_frame_fills_one_radio_packet() -> None:
    assert layouts.IMU_FRAME.size + 19 * 12 == 244


def test_full_page_fits_one_radio_packet() -> None:
    assert layouts.BULK_PAGE.size + 18 * 12 <= 244 < layouts.BULK_PAGE.size + 19 * 12


def test_page_goes_on_as_a_frame() -> None:
    assert [field.name for field in layouts.BULK_PAGE.fields[-6:]] == [
        field.name for field in layouts.IMU_FRAME.fields[-6:]
    ]
