from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from firmware_protocol.packets import PacketType
from tests.fuzzing import FACTOR

REPOSITORY = Path(__file__).resolve().parents[2]
RUNS = 20_000 * FACTOR
# Place of the reader in atheris_readers.py
READERS = {
    PacketType.DATA: 0,
    PacketType.INFO: 1,
    PacketType.STATUS: 2,
    PacketType.COMMAND: 3,
    PacketType.REPLY: 4,
    PacketType.TIME_REQUEST: 5,
    PacketType.TIME_REPLY: 6,
    PacketType.BULK_REQUEST: 7,
    PacketType.BULK_PAGE: 8,
    PacketType.BULK_REPLY: 9,
}


def test_fuzzed_bytes_end_no_reader(tmp_path: Path) -> None:
    """Run atheris for a bounded number of inputs, beginning with the golden vectors."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: there is none for this system or this Python")
    vectors = json.loads(resources.files("firmware_protocol").joinpath("vectors.json").read_text("utf-8"))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for index, each in enumerate(vectors["valid"]):
        payload = bytes.fromhex(each["hex"])
        (corpus / str(index)).write_bytes(bytes([READERS[PacketType(payload[0] & 0x0F)]]) + payload)
    options = ["-seed=1", "-max_len=300", f"-runs={RUNS}", "-rss_limit_mb=1024"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.atheris_readers",
            *options,
            f"-artifact_prefix={tmp_path}/",
            corpus,
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=600 * FACTOR,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert f"Done {RUNS}" in done.stderr
