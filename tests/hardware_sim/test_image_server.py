"""SMP messages written out by hand: header (op, flags, length, group, sequence, command) and CBOR."""

from __future__ import annotations

import hashlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_sim.boot_loader import BootLoader, Swap
from hardware_sim.firmware_image import build_image
from hardware_sim.image_server import ImageServer

OLD, NEW = build_image((1, 0, 0)), build_image((1, 1, 0), size=1000)


class Sensor:
    def __init__(self) -> None:
        self.loader = BootLoader.with_image(OLD, 2000)
        self.resets = 0
        self.server = ImageServer(self.loader, self.reset)

    def reset(self) -> None:
        self.resets += 1

    def ask(self, operation: int, group: int, command: int, **asked: object) -> dict:
        body = cbor2.dumps(asked)
        head = bytes([0x08 | operation, 0, *len(body).to_bytes(2, "big"), 0, group, 7, command])
        answer = self.server.take(head + body)
        assert answer is not None
        assert answer[0] == 0x08 | operation + 1
        assert answer[4:8] == head[4:8]
        assert int.from_bytes(answer[2:4], "big") == len(answer) - 8
        return cbor2.loads(answer[8:])

    def upload(self, offset: int, data: bytes, **more: object) -> dict:
        return self.ask(2, 1, 1, off=offset, data=data, **more)


@pytest.fixture
def sensor() -> Sensor:
    return Sensor()


def test_an_echo_byte_by_byte(sensor: Sensor) -> None:
    request = bytes.fromhex("0a 00 0004 0000 01 00  a1 6164 6178".replace(" ", ""))[:-1] + b"x"
    request = request[:2] + (5).to_bytes(2, "big") + request[4:]
    answers = [sensor.server.take(bytes([byte])) for byte in request]
    assert answers[:-1] == [None] * (len(request) - 1)
    assert answers[-1] == bytes.fromhex("0b000005000001 00 a1 6172 6178".replace(" ", ""))


def test_states_upload_trial_and_confirmation(sensor: Sensor) -> None:
    (only,) = sensor.ask(0, 1, 0)["images"]
    assert (only["slot"], only["version"], only["active"], only["confirmed"]) == (0, "1.0.0", True, True)

    digest = hashlib.sha256(NEW).digest()
    assert sensor.upload(0, NEW[:400], len=len(NEW), sha=digest) == {"off": 400}
    assert sensor.upload(100, NEW[100:200]) == {"off": 400}  # sent twice: said where to go on
    sensor.server.forget_link()
    assert sensor.upload(0, NEW[:400], len=len(NEW), sha=digest) == {"off": 400}  # resumed
    assert sensor.upload(400, NEW[400:]) == {"off": len(NEW), "match": True}

    second = sensor.ask(0, 1, 0)["images"][1]
    assert (second["slot"], second["version"], second["pending"]) == (1, "1.1.0", False)
    assert sensor.ask(2, 1, 0, hash=second["hash"], confirm=False)["images"][1]["pending"]
    assert sensor.loader.swap is Swap.TEST
    assert sensor.ask(2, 0, 5) == {}
    assert sensor.resets == 1

    sensor.loader.boot()
    sensor.server.reboot()
    active, before = sensor.ask(0, 1, 0)["images"]
    assert (active["version"], active["confirmed"]) == ("1.1.0", False)
    assert (before["version"], before["confirmed"]) == ("1.0.0", True)
    assert sensor.ask(2, 1, 0, confirm=True)["images"][0]["confirmed"]


def test_a_reboot_forgets_half_an_upload(sensor: Sensor) -> None:
    digest = hashlib.sha256(NEW).digest()
    sensor.upload(0, NEW[:400], len=len(NEW), sha=digest)
    sensor.server.reboot()
    assert sensor.upload(400, NEW[400:]) == {"rc": 3}
    assert sensor.upload(0, NEW[:300], len=len(NEW), sha=digest) == {"off": 300}


def test_refusals(sensor: Sensor) -> None:
    assert sensor.upload(0, OLD[:400], len=5000) == {"err": {"group": 1, "rc": 30}}
    assert sensor.upload(0, b"\x00" * 40, len=400) == {"err": {"group": 1, "rc": 23}}
    assert sensor.upload(0, NEW[:400], len="long") == {"rc": 3}
    assert sensor.upload(0, NEW[:400], len=300) == {"err": {"group": 1, "rc": 31}}
    assert sensor.ask(2, 1, 0, hash=b"unknown", confirm=False) == {"err": {"group": 1, "rc": 3}}
    assert sensor.ask(0, 64, 1) == {"rc": 8}


def test_a_damaged_upload_is_said(sensor: Sensor) -> None:
    digest = hashlib.sha256(NEW).digest()
    assert sensor.upload(0, NEW[:-1] + b"?", len=len(NEW), sha=digest) == {"off": len(NEW), "match": False}


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_no_bytes_break_it(fragments: list[bytes]) -> None:
    sensor = Sensor()
    for fragment in fragments:
        answer = sensor.server.take(fragment)
        assert answer is None or len(answer) >= 8
    assert sensor.loader.running.version == (1, 0, 0)
