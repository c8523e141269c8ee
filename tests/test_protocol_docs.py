"""The protocol page says what the code does."""

from __future__ import annotations

import inspect
import json
import re
import zlib
from enum import IntEnum
from importlib import resources
from pathlib import Path

import pytest

from firmware_protocol import errors, gatt, packets, ranges, tables
from firmware_protocol.layouts import LAYOUTS, Layout

PAGE_PATH = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"
PAGE = PAGE_PATH.read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"<!-- table: (.+?) -->\n(.*?)\n<!-- end of table -->", PAGE, re.DOTALL))
PROSE = re.sub(r"<!-- table: .+? -->\n.*?<!-- end of table -->", "", PAGE, flags=re.DOTALL)
ENUMS = [
    ("packet types", packets.PacketType),
    ("opcodes", packets.Opcode),
    ("results", packets.CommandResult),
    ("bulk opcodes", packets.BulkOpcode),
    ("bulk results", packets.BulkResult),
    ("accel ranges", ranges.AccelRange),
    ("gyro ranges", ranges.GyroRange),
    ("sampling rates", ranges.SamplingRate),
]


def cells(block: str) -> list[list[str]]:
    rows = BLOCKS[block].splitlines()[2:]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


def test_tables_are_those_of_the_code() -> None:
    assert tables.fill(PAGE) == PAGE, "run: python -m firmware_protocol.tables docs/protocol.md"


def test_every_table_is_on_the_page_once() -> None:
    assert sorted(re.findall(r"<!-- table: (.+?) -->", PAGE)) == sorted(tables.tables())


def test_every_uuid_is_on_the_page() -> None:
    in_code = {value for name, value in vars(gatt).items() if name.endswith("_UUID")}
    on_page = set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", PAGE))
    assert on_page == in_code


def test_characteristic_rows_are_those_of_the_code() -> None:
    assert [(row[0], row[1], row[3]) for row in cells("characteristics")] == [
        (each.name, each.uuid, ", ".join(each.properties)) for each in gatt.CHARACTERISTICS
    ]


@pytest.mark.parametrize(("block", "kind"), ENUMS, ids=[block for block, _ in ENUMS])
def test_enumeration_values_are_those_of_the_code(block: str, kind: type[IntEnum]) -> None:
    assert [(int(row[0]), row[1]) for row in cells(block)] == [(int(each), each.name) for each in kind]


def test_every_enumeration_of_the_package_has_a_table() -> None:
    found = {
        each
        for module in (packets, ranges)
        for each in vars(module).values()
        if inspect.isclass(each) and issubclass(each, IntEnum) and each is not IntEnum
    }
    assert found == {kind for _, kind in ENUMS}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.packet)
def test_byte_rows_are_those_of_the_code(layout: Layout) -> None:
    rows = cells(layout.packet)
    fixed = [row for row in rows if row[1] != "variable"]
    assert [row[2] for row in fixed] == [field.name for field in layout.fields]
    assert [row[3] for row in fixed] == [field.type for field in layout.fields]
    ends = [int(row[0]) + int(row[1]) for row in fixed]
    assert [int(row[0]) for row in fixed] == [0, *ends[:-1]]
    assert ends[-1] == layout.size
    assert len(rows) - len(fixed) == (layout.tail is not None)


def test_every_error_is_on_the_page() -> None:
    family = {
        name
        for name, each in vars(errors).items()
        if inspect.isclass(each)
        and issubclass(each, errors.ProtocolError)
        and each is not errors.ProtocolError
    }
    assert {row[0] for row in cells("errors")} == family


def test_constants_are_those_of_the_code() -> None:
    for name, value, _ in cells("constants"):
        assert getattr(packets, name) == int(value), name


def test_mtu_table_is_what_the_code_does() -> None:
    section = PROSE.split("| MTU | most samples a frame |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in section.strip().splitlines()[1:]]
    assert len(rows) == 6
    for mtu, most in rows:
        smallest, *rest = (int(number) for number in re.findall(r"\d+", mtu))
        expected = 0 if most.startswith("none") else int(most)
        for each in (smallest, *rest):
            assert packets.samples_per_frame(packets.MAX_SAMPLES, each) == expected, mtu
    assert packets.samples_per_frame(packets.MAX_SAMPLES, 517) == 19


def test_mtu_table_of_pages_is_what_the_code_does() -> None:
    section = PROSE.split("| MTU | most samples a page |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in section.strip().splitlines()[1:]]
    assert len(rows) == 5
    for mtu, most in rows:
        for each in re.findall(r"\d+", mtu):
            assert packets.samples_per_page(int(each)) == (0 if most == "none" else int(most)), mtu
    assert packets.samples_per_page(517) == packets.MAX_PAGE_SAMPLES


def test_results_in_the_table_of_requests_exist() -> None:
    section = PROSE.split("| request | situation | result |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in section.strip().splitlines()[1:]]
    assert {row[0] for row in rows} == {"Fetch", "Survey", "Erase", "any"}
    assert {row[2].split(",")[0] for row in rows} == {each.name for each in packets.BulkResult}


def test_checksum_in_the_prose_is_the_one_of_the_code() -> None:
    text, checksum = re.search(r'"(\d+)" gives 0x([0-9A-F]{8})', PROSE).groups()
    assert zlib.crc32(text.encode()) == int(checksum, 16)


def test_results_in_the_command_table_exist() -> None:
    section = PROSE.split("| command | situation | result | effect |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in section.strip().splitlines()[1:]]
    commands = {row[0].split()[0] for row in rows}
    assert commands == {"Start", "Stop", "Configure", "Identify", "any"}
    assert {row[2] for row in rows} == {each.name for each in packets.CommandResult}


def test_sizes_in_the_prose() -> None:
    sizes = {layout.packet: layout.size for layout in LAYOUTS}
    info, status = re.search(r"INFO is up to (\d+) bytes long and STATUS (\d+)", PROSE).groups()
    assert int(info) == sizes["DeviceInfo"] + packets.MAX_SERIAL_BYTES
    assert int(status) == sizes["StreamStatus"]
    one_sample = sizes["ImuFrame"] + packets.SAMPLE_SIZE
    whole = (sizes[name] for name in ("StreamStatus", "TimeReply", "CommandReply", "BulkReply"))
    assert max(*whole, one_sample) + packets.NOTIFICATION_OVERHEAD == packets.MIN_STREAMING_MTU
    one_sample = sizes["BulkPage"] + packets.SAMPLE_SIZE
    assert one_sample + packets.NOTIFICATION_OVERHEAD == packets.MIN_BULK_MTU
    assert f"MTU below {packets.MIN_BULK_MTU} |" in PROSE


def test_names_in_code_font_exist() -> None:
    """Every `name_with_underscores` and `CamelCase` of the prose is a field, a constant or a class."""
    known = {field.name for layout in LAYOUTS for field in (*layout.fields, layout.tail) if field}
    known |= set(packets.__all__) | set(vars(errors)) | set(vars(ranges)) | {"clipped", "gap_before"}
    known |= {"protocol_version"}
    vectors = json.loads(resources.files("firmware_protocol").joinpath("vectors.json").read_text("utf-8"))
    known |= set(vectors) | {"firmware_version", "fields", "wire"}
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+)`", PROSE))
    assert named - known == set()
    assert len(named) > 10


def test_links_within_the_page_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    links = set(re.findall(r"\]\(#(.+?)\)", PAGE))
    assert links
    assert links - anchors == set()
