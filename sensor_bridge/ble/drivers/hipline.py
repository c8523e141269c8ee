"""Hipline sensors: every frame numbers, times and scales its samples itself (docs/protocol.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.codec import decode_frame
from firmware_protocol.gatt import SERVICE_UUID
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import COMPLETE, SampleRun, StreamTraits

if TYPE_CHECKING:
    from sensor_bridge.ble.driver import Advertisement, StreamDescription
    from sensor_bridge.ble.link import ReceivedFrame

_FULL_COUNT: Final = 32767.0


class HiplineDecoder:
    """DATA frames to runs, one to one; nothing is held back."""

    n_rejected: Final = 0

    @property
    def traits(self) -> StreamTraits:
        """A Hipline stream lacks nothing."""
        return COMPLETE

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame; only DATA holds samples."""
        if frame.kind is not FrameKind.DATA:
            return []
        packet = decode_frame(frame.payload)
        return [
            SampleRun(
                stream_id=packet.stream_id,
                first_sample_index=packet.first_sample_index,
                device_time_us=packet.device_time_us,
                sampling_rate_hz=packet.sampling_rate.hz,
                values=np.frombuffer(packet.samples, dtype="<i2").reshape(-1, 6),
                acc_unit_m_s2=packet.accel_range.m_s2_per_lsb,
                gyr_unit_rad_s=packet.gyro_range.rad_s_per_lsb,
                acc_limit=_FULL_COUNT,
                gyr_limit=_FULL_COUNT,
            )
        ]

    def flush(self) -> list[SampleRun]:
        """Return nothing: nothing waits."""
        return []


class HiplineDriver:
    """Our own sensors; their link is `sensor_bridge.ble.hipline_link`."""

    kind: Final = "hipline"
    family: Final = "Hipline"

    def recognises(self, heard: Advertisement) -> bool:
        """Tell whether it announces the Hipline service."""
        return SERVICE_UUID in heard.service_uuids

    def decoder(self, description: StreamDescription) -> HiplineDecoder:
        """Make a decoder; a Hipline stream describes itself."""
        del description
        return HiplineDecoder()
