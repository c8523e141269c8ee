"""What can be told of the outbox: how much waits for a broker, and for how long."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sensor_bridge.mqtt.outbox_settings import DAY_S, OutboxSettings

OUTBOX_NAME = "outbox.sqlite"


class OutboxConfig(BaseModel):
    """Events that wait for the broker (docs/reliability.md).

    Parameters
    ----------
    max_mb
        Space they may take on the disk, MB.
    memory_events
        How many wait in memory while the disk takes none.
    expire_after_days
        What no broker took for so long is put aside, days.
    low_disk_mb
        An alarm tells when less than this is free on the disk of the data folder, MB.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_mb: Annotated[float, Field(ge=1)] = 256.0
    memory_events: Annotated[int, Field(ge=100)] = 10_000
    expire_after_days: Annotated[float, Field(gt=0)] = 30.0
    low_disk_mb: Annotated[float, Field(ge=0)] = 200.0

    def settings(self, data_folder: Path) -> OutboxSettings:
        """Return what the outbox takes."""
        return OutboxSettings(
            data_folder / OUTBOX_NAME,
            max_bytes=round(self.max_mb * 1e6),
            memory_events=self.memory_events,
            expire_after_s=self.expire_after_days * DAY_S,
            low_disk_bytes=round(self.low_disk_mb * 1e6),
        )
