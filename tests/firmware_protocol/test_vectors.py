"""The golden vectors: written by hand-made packing, read by the codec."""

from __future__ import annotations

import json
import re
import struct
from importlib import resources
from typing import Any

import pytest

from firmware_protocol import codec, errors, packets
from firmware_protocol.layouts import LAYOUTS
from firmware_protocol.packets import (
    AccelRange,
    BulkResult,
    CommandResult,
    GyroRange,
    ImuFrame,
    SamplingRate,
)

VECTORS = json.loads(resources.files("firmware_protocol").joinpath("vectors.json").read_text("utf-8"))
VALID = [pytest.param(each, id=f"{each['packet']}: {each['name']}") for each in VECTORS["valid"]]
MALFORMED = [pytest.param(each, id=f"{each['packet']}: {each['name']}") for each in VECTORS["malformed"]]
BY_NAME = {layout.packet: layout for layout in LAYOUTS}

DECODERS = {
    "ImuFrame": codec.decode_frame,
    "DeviceInfo": codec.decode_info,
    "StreamStatus": codec.decode_status,
    "Start": codec.decode_command,
    "Stop": codec.decode_command,
    "Configure": codec.decode_command,
    "Identify": codec.decode_command,
    "CommandReply": codec.decode_reply,
    "TimeRequest": codec.decode_time_request,
    "TimeReply": codec.decode_time_reply,
    "Fetch": codec.decode_request,
    "Grant": codec.decode_request,
    "Survey": codec.decode_request,
    "Erase": codec.decode_request,
    "BulkPage": codec.decode_page,
    "BulkReply": codec.decode_bulk_reply,
}

RESULTS = {"CommandReply": CommandResult, "BulkReply": BulkResult}

READERS = {
    "samples": lambda samples: b"".join(struct.pack("<6h", *sample) for sample in samples),
    "host_send_us": int,
    "sampling_rate": SamplingRate.__getitem__,
    "accel_range": AccelRange.__getitem__,
    "gyro_range": GyroRange.__getitem__,
    "rates": lambda names: tuple(SamplingRate[name] for name in names),
    "accel_ranges": lambda names: tuple(AccelRange[name] for name in names),
    "gyro_ranges": lambda names: tuple(GyroRange[name] for name in names),
    "firmware_version": tuple,
    "frame": lambda fields: ImuFrame(**read(fields)),
}


def read(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: READERS.get(name, lambda value: value)(value) for name, value in fields.items()}


def packet_of(vector: dict[str, Any]) -> Any:
    fields = read(vector["fields"])
    if "result" in fields:
        fields["result"] = RESULTS[vector["packet"]][fields["result"]]
    return getattr(packets, vector["packet"])(**fields)


@pytest.mark.parametrize("vector", VALID)
def test_packet_is_written_as_the_vector(vector: dict[str, Any]) -> None:
    assert codec.encode(packet_of(vector)).hex() == vector["hex"]


@pytest.mark.parametrize("vector", VALID)
def test_vector_is_read_as_the_packet(vector: dict[str, Any]) -> None:
    assert DECODERS[vector["packet"]](bytes.fromhex(vector["hex"])) == packet_of(vector)


@pytest.mark.parametrize("vector", VALID)
def test_wire_fields_are_those_of_the_byte_table(vector: dict[str, Any]) -> None:
    layout = BY_NAME[vector["packet"]]
    names = [field.name for field in layout.fields]
    expected = {name: int(value) for name, value in vector["wire"].items() if name in names}
    assert dict(zip(names, layout.unpack(bytes.fromhex(vector["hex"])), strict=True)) == expected
    tail = {layout.tail.name} if layout.tail else set()
    assert set(vector["wire"]) == set(names) | tail


@pytest.mark.parametrize("vector", VALID)
def test_every_strict_prefix_is_truncated(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["hex"])
    for size in range(len(payload)):
        with pytest.raises(errors.Truncated):
            DECODERS[vector["packet"]](payload[:size])


@pytest.mark.parametrize("vector", VALID)
def test_bytes_after_the_packet_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(errors.TrailingBytes):
        DECODERS[vector["packet"]](bytes.fromhex(vector["hex"]) + b"\x00")


@pytest.mark.parametrize("vector", MALFORMED)
def test_malformed_is_refused_by_name(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["hex"])
    with pytest.raises(errors.ProtocolError) as refused:
        DECODERS[vector["packet"]](payload)
    assert type(refused.value).__name__ == vector["error"]
    assert refused.value.payload == payload[:32]
    assert refused.value.reason


def test_shape_of_the_file() -> None:
    assert VECTORS["format"] == "hipline-vectors/1"
    assert VECTORS["protocol_version"] == 1
    assert set(VECTORS) == {"format", "protocol_version", "valid", "malformed"}
    assert {tuple(each) for each in VECTORS["valid"]} == {("name", "packet", "hex", "wire", "fields")}
    assert {tuple(each) for each in VECTORS["malformed"]} == {("name", "packet", "hex", "error")}
    for each in VECTORS["valid"] + VECTORS["malformed"]:
        assert re.fullmatch(r"([0-9a-f]{2})*", each["hex"]), each["name"]


def test_names_are_unique() -> None:
    for group in ("valid", "malformed"):
        names = [(each["packet"], each["name"]) for each in VECTORS[group]]
        assert len(set(names)) == len(names)


def test_every_packet_has_several_vectors() -> None:
    for name in BY_NAME:
        assert sum(each["packet"] == name for each in VECTORS["valid"]) >= 2, name
        assert sum(each["packet"] == name for each in VECTORS["malformed"]) >= 2, name


def test_every_error_has_vectors() -> None:
    assert {each["error"] for each in VECTORS["malformed"]} == {
        "Truncated",
        "TrailingBytes",
        "UnsupportedVersion",
        "UnknownPacket",
        "ChecksumMismatch",
        "FieldOutOfRange",
    }


def test_numbers_survive_a_json_reader_of_doubles() -> None:
    def integers(value: Any) -> list[int]:
        if isinstance(value, dict):
            return [number for each in value.values() for number in integers(each)]
        if isinstance(value, list):
            return [number for each in value for number in integers(each)]
        return [value] if isinstance(value, int) else []

    assert max(integers(VECTORS)) < 2**53
