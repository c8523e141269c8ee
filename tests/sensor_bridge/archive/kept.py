"""A data folder with everything that may be kept of two athletes, made by the product's own writers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from firmware_protocol.codec import encode
from firmware_protocol.packets import ImuFrame
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.access.tokens import tokens_of
from sensor_bridge.archive.angle_files import angles_folder, write_part
from sensor_bridge.archive.angles import AnglePart
from sensor_bridge.archive.store import SessionBegun, SessionEnded
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.mqtt.outbox_store import OutboxStore, OutgoingEvent
from sensor_bridge.mqtt.users import user_names
from sensor_bridge.recording.analysis import ANGLE_COLUMNS
from sensor_bridge.recording.session import create_session
from tests.sensor_bridge.archive.told import START_MS, archive, note, repetition, set_summary, told

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import msgspec

    from sensor_bridge.recording.session import Session

ANNA, BEN = "zq-anna", "xw-ben"
NAMES = {ANNA: "Annabella Quux", BEN: "Benvolio Wexx"}
N_FRAMES = 20


def athlete(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": NAMES[name],
        "sensors": [
            {"id": f"{name}-hip", "placement": "pelvis", "mount": "sacrum", "name": "H1"},
            {"id": f"{name}-thigh", "placement": "thigh_left", "mount": "unknown", "name": "H2"},
        ],
        "prescription": None,
    }


def data_folder(folder: Path) -> tuple[Session, Session]:
    """A session of Anna alone, and one of Anna and Ben; archive, angles, outbox, tokens and the rest."""
    folder.mkdir()
    sessions = (record(folder, ANNA), record(folder, ANNA, BEN))
    with OutboxStore(folder / "outbox.sqlite") as outbox:
        outbox.insert(
            OutgoingEvent(f"event-{name}", 0, f"hipline/v1/gym-1/athlete/{name}/rep", NAMES[name].encode())
            for name in (ANNA, BEN)
        )
    tokens_of(folder, user_names([ANNA, BEN]))
    prescribed = {name: {"configured": None, "prescribed": {"exercise": "squat"}} for name in (ANNA, BEN)}
    (folder / "prescribed.json").write_text(json.dumps(prescribed))
    announced = [f"homeassistant/device/hipline-gym-1/athlete-{name}/config" for name in (ANNA, BEN)]
    announced.append(f"homeassistant/device/hipline-gym-1/sensor-{ANNA}-hip/config")
    (folder / "home_assistant.json").write_text(json.dumps(announced))
    return sessions


def record(folder: Path, *names: str) -> Session:
    """A session of some athletes: its log, their angles, and what the archive has of it."""
    metadata = {
        "gym": "gym-1",
        "athletes": [athlete(name) for name in names],
        "prescribed": {name: {"exercise": "squat"} for name in names},
    }
    session = create_session(folder, metadata, now=datetime.fromtimestamp(START_MS / 1e3, tz=UTC))
    samples = np.tile(np.array([0, 4096, 0, 0, 0, 0], dtype="<i2"), (10, 1)).tobytes()
    with session.open_log() as log:
        for number in range(N_FRAMES):
            for sensor in [f"{name}-{place}" for name in names for place in ("hip", "thigh")]:
                packet = ImuFrame(
                    stream_id=1,
                    first_sample_index=10 * number,
                    device_time_us=100_000 * number,
                    sampling_rate=SamplingRate.HZ100,
                    accel_range=AccelRange.G8,
                    gyro_range=GyroRange.DPS1000,
                    clipped=False,
                    gap_before=False,
                    samples=samples,
                )
                at_ns = int(START_MS * 1e6) + number * 100_000_000
                log.append(ReceivedFrame(sensor, at_ns, FrameKind.DATA, encode(packet)))
    entries: list[Any] = [
        SessionBegun(session.session_id, session.started_ms, tuple((name, NAMES[name]) for name in names))
    ]
    for name in names:
        write_part(angles_folder(session.folder, name), _angles())
        events: list[msgspec.Struct] = [
            repetition(1, athlete=name),
            repetition(2, athlete=name, faults=("pelvic_drop",)),
            set_summary(athlete=name, repetitions=2),
            note(f"{NAMES[name]} did well", athlete=name),
        ]
        first = 100 * len(names) + 10 * names.index(name)
        entries += [told(data, first + n, session=session.session_id) for n, data in enumerate(events)]
    archive(folder, *entries, SessionEnded(session.session_id, session.started_ms + 9e5, is_whole=True))
    return session


def _angles() -> AnglePart:
    n = 200
    return AnglePart(
        number=1,
        rate_hz=100.0,
        t_s=np.arange(n) / 100.0,
        time_ms=START_MS + 10.0 * np.arange(n),
        angles={name: np.full(n, 1.0, dtype=np.float32) for name in ANGLE_COLUMNS},
    )
