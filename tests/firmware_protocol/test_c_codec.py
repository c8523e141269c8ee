"""The C codec for firmware: the golden vectors, and the same answer as the Python codec to anything else."""

from __future__ import annotations

import json
import random
import re
import zlib
from importlib import resources
from pathlib import Path

import pytest

from firmware_protocol import c_header
from firmware_protocol import codec as codecs
from firmware_protocol.errors import ProtocolError
from firmware_protocol.layouts import LAYOUTS
from firmware_protocol.packets import samples_per_frame, samples_per_page
from tests.firmware_protocol.c_codec import (
    CODEC,
    DRIVERS,
    SANITIZERS,
    SOURCES,
    STRICT,
    numbers,
    run,
    tool,
)
from tests.firmware_protocol.test_vectors import DECODERS
from tests.fuzzing import FACTOR

VECTORS = json.loads(resources.files("firmware_protocol").joinpath("vectors.json").read_text("utf-8"))
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "firmware.md").read_text(encoding="utf-8")
FUZZED = [  # in the order of fuzz_codec.c
    codecs.decode_frame,
    codecs.decode_info,
    codecs.decode_status,
    codecs.decode_command,
    codecs.decode_reply,
    codecs.decode_time_request,
    codecs.decode_time_reply,
    codecs.decode_request,
    codecs.decode_page,
    codecs.decode_bulk_reply,
]
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding")


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory):
    """Answer lines with the codec, compiled by the system's compiler with both sanitizers."""
    program = tmp_path_factory.mktemp("codec") / "codec_lines"
    compiler = tool("gcc", "gcc", "cc")
    sanitizers = (*SANITIZERS, "-fsanitize=address,undefined")
    run(compiler, *STRICT, *sanitizers, "-I", SOURCES, "-o", program, DRIVERS / "codec_lines.c", *CODEC)

    def answer(lines: list[str]) -> list[str]:
        return run(program, given="".join(f"{line}\n" for line in lines)).splitlines()

    return answer


def test_header_is_that_of_the_tables() -> None:
    committed = (SOURCES / "hipline_layouts.h").read_text(encoding="utf-8")
    assert committed == c_header.header(), (
        "run: python -m firmware_protocol.c_header firmware_protocol/c/hipline_layouts.h"
    )


def test_header_holds_every_packet_and_every_value() -> None:
    header = c_header.header()
    for layout in LAYOUTS:
        assert f"struct {c_header.c_name(layout.packet)} {{" in header
        assert f"#define {c_header.c_name(layout.packet).upper()}_SIZE {layout.size}u " in header
    for kind in c_header.enumerations():
        for member in kind:
            assert f"{c_header.c_name(kind.__name__).upper()}_{member.name} = {int(member)}" in header
    assert "HIPLINE_IMU_FRAME_FIELDS(F) \\\n    F(u8, flags, 1) \\\n    F(u16, stream_id, 2)" in header
    assert "int16_t samples[HIPLINE_MAX_SAMPLES][6];" in header


def test_header_is_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "layouts.h"
    assert c_header.main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == c_header.header()
    assert c_header.main([]) == 0
    assert capsys.readouterr().out == c_header.header()
    assert c_header.main([str(tmp_path / "missing" / "layouts.h")]) == 2
    assert capsys.readouterr().err.endswith("layouts.h: No such file or directory\n")


def test_vectors_are_read_and_written(codec) -> None:
    valid = VECTORS["valid"]
    read = codec([f"read {each['packet']} {each['hex']}" for each in valid])
    assert read == [" ".join(map(str, ["NO_ERROR", *numbers(each)])) for each in valid]
    written = codec([" ".join(map(str, ["write", each["packet"], *numbers(each)])) for each in valid])
    assert written == [f"NO_ERROR {each['hex']}" for each in valid]


def test_every_strict_prefix_is_truncated_and_every_byte_more_is_refused(codec) -> None:
    values = [(each["packet"], each["hex"]) for each in VECTORS["valid"]]
    prefixes = [
        f"read {packet} {digits[:end]}" for packet, digits in values for end in range(0, len(digits), 2)
    ]
    assert set(codec(prefixes)) == {"Truncated"}
    assert set(codec([f"read {packet} {digits}00" for packet, digits in values])) == {"TrailingBytes"}


def test_malformed_is_refused_by_name(codec) -> None:
    malformed = VECTORS["malformed"]
    answers = codec([f"read {each['packet']} {each['hex']}" for each in malformed])
    assert answers == [each["error"] for each in malformed]


def test_packets_that_must_not_be_sent_are_not_written(codec) -> None:
    malformed = [
        "ImuFrame 0 0 0 0 1 1",  # no stream
        "ImuFrame 128 1 0 0 1 1",
        "ImuFrame 0 1 4294967295 0 2 1",
        "ImuFrame 0 1 0 281474976710656 1 1",
        "ImuFrame 0 1 0 0 20 1",
        "ImuFrame 0 1 0 0 1 16",
        "DeviceInfo 1 0 0 0 0 65536 1 1 1 0 1 120",
        "DeviceInfo 1 0 0 0 0 2 1 1 1 0 33 120",
        "DeviceInfo 1 0 0 0 0 2 1 1 1 0 2 237 160",  # half a surrogate
        "StreamStatus 1 0 0 0 0 0 0 0 24 247 50 0",
        "Start 1 1 0 0",
        "Start 1 0 0 9",
        "Configure 1 8 4 0 10",
        "CommandReply 9 1 0 0 0",
        "TimeReply 1 0 2 1",
        "TimeReply 1 0 0 281474976710656",
        "Fetch 1 0 1 0 1",
        "Fetch 1 1 0 0 1",
        "Fetch 1 1 1 7 7",
        "Fetch 1 1 1 0 65536",
        "Grant 1 0",
        "BulkPage 1 0 0 1 0 0 19 1",
        "BulkPage 1 0 0 0 0 0 1 1",
        "BulkReply 3 1 0 5 0 0 0 0 0 0",  # pages of a Survey
        "BulkReply 1 1 0 5 1 9 9 0 10 0",
        "BulkReply 1 1 0 5 1 0 0 0 10 11",
    ]
    assert set(codec([f"write {each}" for each in malformed])) == {"FieldOutOfRange"}


def test_same_answer_as_the_python_codec_to_anything_fuzzed(codec) -> None:
    chance = random.Random(1)
    packets = sorted(DECODERS)
    payloads = [bytes.fromhex(each["hex"]) for group in ("valid", "malformed") for each in VECTORS[group]]
    asked = []
    for _ in range(20_000 * FACTOR):
        payload = bytearray(chance.choice(payloads))
        for _ in range(chance.choice((1, 1, 2, 4))):
            if payload and chance.random() < 0.8:
                payload[chance.randrange(len(payload))] = chance.choice(
                    (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
                )
            elif chance.random() < 0.5:
                del payload[chance.randrange(len(payload) + 1) :]
            else:
                payload += chance.randbytes(chance.randrange(1, 8))
        if payload[:1] == b"\x19" and len(payload) > 5 and chance.random() < 0.7:
            payload[1:5] = zlib.crc32(payload[5:]).to_bytes(4, "little")
        asked.append((chance.choice(packets) if chance.random() < 0.1 else kind_of(payload), bytes(payload)))
    answers = codec([f"read {packet} {payload.hex()}" for packet, payload in asked])
    assert len(answers) == len(asked)
    refused = 0
    for (packet, payload), answer in zip(asked, answers, strict=True):
        try:
            DECODERS[packet](payload)
            expected = "NO_ERROR"
        except ProtocolError as error:
            expected = type(error).__name__
            refused += 1
        assert answer.split()[0] == expected, f"{packet} {payload.hex()}"
    assert 0.2 < refused / len(asked) < 0.98  # both kinds were asked


def kind_of(payload: bytes) -> str:
    """Name the packet whose reader a payload is meant for."""
    by_type = {layout.packet_type & 0x0F: layout.packet for layout in LAYOUTS}
    return by_type.get(payload[0] & 0x0F if payload else 0, "ImuFrame")


def test_example_of_the_page_compiles(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```c\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    source = tmp_path / "example.c"
    own = (
        "#include <stdint.h>\n#include <stddef.h>\nstruct hipline_command;\n"
        "enum hipline_command_result stop_stream(void);\n"
        "enum hipline_command_result carry_out(const struct hipline_command *command);\n"
    )
    source.write_text(example.replace('codec.h"\n', 'codec.h"\n' + own, 1), encoding="utf-8")
    run(tool("gcc", "gcc", "cc"), *STRICT, "-I", SOURCES, "-c", "-o", tmp_path / "example.o", source)


def test_another_compiler_accepts_it_as_well(tmp_path: Path) -> None:
    clang = tool("clang", "clang")
    for source in CODEC:
        run(clang, *STRICT, "-c", "-o", tmp_path / "codec.o", source)


def test_fuzzed_bytes_break_nothing(tmp_path: Path) -> None:
    """Run libFuzzer for a bounded number of inputs, beginning with the golden vectors."""
    clang = tool("clang", "clang")
    target = tmp_path / "fuzz_codec"
    sanitizers = (*SANITIZERS, "-fsanitize=fuzzer,address,undefined")
    run(clang, *STRICT, *sanitizers, "-I", SOURCES, "-o", target, DRIVERS / "fuzz_codec.c", *CODEC)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for index, each in enumerate(VECTORS["valid"] + VECTORS["malformed"]):
        reader = FUZZED.index(DECODERS[each["packet"]])
        (corpus / str(index)).write_bytes(bytes([reader]) + bytes.fromhex(each["hex"]))
    said = run(
        target, "-seed=1", "-max_len=260", f"-runs={250_000 * FACTOR}", "-verbosity=0", corpus, where=tmp_path
    )
    assert [
        path.name for path in tmp_path.iterdir() if path.name.startswith(("crash", "leak", "oom"))
    ] == [], said


def test_it_is_small_on_a_microcontroller_and_needs_nothing_there(tmp_path: Path) -> None:
    compiler = tool("gcc-arm-none-eabi", "arm-none-eabi-gcc")
    objects = [tmp_path / f"{source.stem}.o" for source in CODEC]
    for source, target in zip(CODEC, objects, strict=True):
        run(compiler, *STRICT, *CORTEX_M4, "-c", "-o", target, source)
    # No floating point, no allocation, no library: at most the two calls every C environment has to offer.
    undefined = set(re.findall(r"U (\S+)", run("arm-none-eabi-nm", "-u", *objects)))
    shared = {name for name in undefined if name in {"memcpy", "memset"}}
    defined = set(re.findall(r" T (\S+)", run("arm-none-eabi-nm", *objects)))
    assert undefined - shared - defined == set()
    *_, total = run("arm-none-eabi-size", "-t", *objects).splitlines()
    text, data, bss = (int(word) for word in total.split()[:3])
    assert (data, bss) == (0, 0)
    assert text < 5000
    version = run(compiler, "-dumpfullversion").strip()
    told = re.search(r"gcc ([\d.]+) makes (\d+) bytes", PAGE)
    assert told, "docs/firmware.md says how large the codec is"
    if told[1] == version:
        assert int(told[2]) == text
    print(f"gcc {version}: {text} bytes of .text")


def test_samples_that_fit_are_those_of_the_python_codec(tmp_path: Path) -> None:
    source = tmp_path / "print.c"
    source.write_text(
        '#include <stdio.h>\n#include "hipline_codec.h"\nint main(void)\n{\n'
        "    for (unsigned int mtu = 23; mtu <= 517; mtu++) {\n"
        '        printf("%u %u\\n", (unsigned int)hipline_samples_per_frame(19, (uint16_t)mtu),\n'
        "               (unsigned int)hipline_samples_per_page((uint16_t)mtu));\n    }\n"
        "    return 0;\n}\n"
    )
    program = tmp_path / "print"
    run(tool("gcc", "gcc", "cc"), *STRICT, "-I", SOURCES, "-o", program, source, *CODEC)
    expected = [f"{samples_per_frame(19, mtu)} {samples_per_page(mtu)}" for mtu in range(23, 518)]
    assert run(program).splitlines() == expected
