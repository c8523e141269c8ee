"""Every reader of bytes from radio and broker under atheris, which looks for new paths through the code.

Run by ``test_fuzz_atheris.py``; by hand: ``python -m tests.fuzz.atheris_readers -max_total_time=600``. The
first byte chooses the reader.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["firmware_protocol", "sensor_bridge", "json", "tomllib"]):
    from firmware_protocol import codec
    from firmware_protocol.errors import ProtocolError
    from sensor_bridge.ble.driver import StreamDescription
    from sensor_bridge.config_file import checked_config
    from sensor_bridge.errors import ConfigError
    from sensor_bridge.mqtt import topics
    from sensor_bridge.mqtt.payloads import PayloadError, decode
    from sensor_bridge.mqtt.topics import Channel, UnknownTopic


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


READERS = [
    *(
        (ProtocolError, read)
        for read in (
            *(codec.decode_frame, codec.decode_info, codec.decode_status, codec.decode_command),
            *(codec.decode_reply, codec.decode_time_request, codec.decode_time_reply, codec.decode_request),
            *(codec.decode_page, codec.decode_bulk_reply, codec.decode_notified),
            *(codec.command_start, codec.request_start, StreamDescription.from_bytes),
        )
    ),
    *((PayloadError, lambda data, channel=channel: decode(channel, data)) for channel in Channel),
    (UnknownTopic, lambda data: topics.parse(_text(data))),
    (ConfigError, lambda data: checked_config(_text(data), Path("hipline.toml"))),
]


def read_one(data: bytes) -> None:
    """Let one reader read; whatever but its declared error comes out ends the run with the bytes."""
    if not data:
        return
    error, read = READERS[data[0] % len(READERS)]
    try:
        read(data[1:])
    except error:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, read_one)
    atheris.Fuzz()
