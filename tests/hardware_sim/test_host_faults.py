from __future__ import annotations

import random

import pytest

from firmware_protocol.gatt import BULK_UUID, DATA_UUID
from hardware_sim.host_faults import HostFaults
from hardware_sim.radio_conditions import RadioConditions

ALMOST_ALWAYS = 1.0 - 1e-12
PAGES = [bytes([0x19, number]) * 20 for number in range(6)]
REPLY = bytes([0x1A]) * 26


def passed_on(uuid, *, values=PAGES, **conditions):
    faults = HostFaults(lambda _address: RadioConditions(**conditions), random.Random(1))
    return [value for page in values for value in faults.pass_on("C0:00:00:00:00:01", uuid, page)]


@pytest.mark.parametrize("uuid", [BULK_UUID, DATA_UUID])
def test_a_good_host_passes_everything_on(uuid):
    assert passed_on(uuid) == PAGES


@pytest.mark.parametrize("uuid", [BULK_UUID, DATA_UUID])
def test_a_bad_host_loses_whatever_comes(uuid):
    assert passed_on(uuid, host_loss=ALMOST_ALWAYS) == []


def test_a_damaged_page_differs_in_one_bit():
    damaged = passed_on(BULK_UUID, page_corruption=ALMOST_ALWAYS)
    assert len(damaged) == len(PAGES)
    for page, other in zip(PAGES, damaged, strict=True):
        wrong = int.from_bytes(page, "little") ^ int.from_bytes(other, "little")
        assert wrong.bit_count() == 1


def test_a_reply_has_no_checksum_and_is_not_damaged():
    assert passed_on(BULK_UUID, values=[REPLY], page_corruption=ALMOST_ALWAYS) == [REPLY]


def test_pages_come_twice():
    assert passed_on(BULK_UUID, page_duplication=ALMOST_ALWAYS) == [page for page in PAGES for _ in range(2)]


def test_pages_change_places():
    disordered = passed_on(BULK_UUID, page_reordering=ALMOST_ALWAYS)
    assert disordered == [PAGES[place] for place in (1, 0, 3, 2, 5, 4)]


def test_live_frames_keep_bits_and_order():
    changes = dict.fromkeys(("page_corruption", "page_duplication", "page_reordering"), ALMOST_ALWAYS)
    assert passed_on(DATA_UUID, **changes) == PAGES
