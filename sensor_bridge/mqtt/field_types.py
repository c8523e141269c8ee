"""The kinds of values that fields of payloads have, with the ranges that their schemas tell."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from sensor_bridge.mqtt.topics import ID_PATTERN

Id = Annotated[str, Meta(pattern=f"^{ID_PATTERN}$")]
Code = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
Count = Annotated[int, Meta(ge=0)]
Ordinal = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Duration = Annotated[float, Meta(ge=0.0)]
Spread = Annotated[float, Meta(ge=0.0)]
Timestamp = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")]
Uuid7 = Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
Side = Literal["left", "right", "both"]
