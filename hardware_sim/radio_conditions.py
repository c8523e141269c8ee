"""How well the air carries, as numbers one can set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hardware_sim.errors import RadioConditionsError

SENSITIVITY_DBM: Final = -95.0  # weakest signal a common BLE chip still decodes (1M PHY)
FADE_MARGIN_DB: Final = 10.0  # below this much above the sensitivity, packets begin to get lost
_SHARES: Final = (
    "advertising_loss",
    "packet_error_rate",
    "host_loss",
    "page_corruption",
    "page_duplication",
    "page_reordering",
)


@dataclass(frozen=True, slots=True)
class RadioConditions:
    """What the air does to one sensor.

    The link layer repeats a packet until it was heard: ``packet_error_rate`` costs time, never data. Data is
    lost only where the sensor's queue runs over, or in the host (``host_loss``).

    Parameters
    ----------
    rssi_dbm
        Mean signal strength; weaker than about -95 dBm nothing gets through.
    rssi_sd_db
        Its scatter from one advertisement to the next.
    advertising_loss
        Share of advertisements nobody hears, 0 to below 1.
    packet_error_rate
        Share of packets in a connection that have to be sent again, 0 to below 1.
    connection_interval_ms
        Time between two connection events; None takes what the host asks for.
    packets_per_event
        Packets each side may send in one connection event.
    supervision_timeout_s
        Silence after which both ends call the connection lost.
    host_loss
        Share of notifications the host loses after the radio has delivered them, 0 to below 1 (as some
        Linux Bluetooth stacks do under load).
    page_corruption, page_duplication, page_reordering
        Share of the pages of BULK of which the host gets a bit wrong, which it gets twice, and which it gets
        after the next one, each 0 to below 1.
    """

    rssi_dbm: float = -60.0
    rssi_sd_db: float = 2.0
    advertising_loss: float = 0.0
    packet_error_rate: float = 0.0
    connection_interval_ms: float | None = None
    packets_per_event: int = 6
    supervision_timeout_s: float = 4.0
    host_loss: float = 0.0
    page_corruption: float = 0.0
    page_duplication: float = 0.0
    page_reordering: float = 0.0

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) < 1.0:
                raise RadioConditionsError(f"{name} must be 0 to below 1, not {getattr(self, name)}")
        if self.connection_interval_ms is not None and not 7.5 <= self.connection_interval_ms <= 4000.0:
            raise RadioConditionsError(
                f"connection_interval_ms must be 7.5 to 4000, not {self.connection_interval_ms}"
            )
        if self.packets_per_event < 1:
            raise RadioConditionsError(f"packets_per_event must be at least 1, not {self.packets_per_event}")
        if not 0.1 <= self.supervision_timeout_s <= 32.0:
            raise RadioConditionsError(
                f"supervision_timeout_s must be 0.1 to 32, not {self.supervision_timeout_s}"
            )

    def is_audible(self, fade_db: float) -> bool:
        """Tell whether anything gets through with the signal weakened by ``fade_db``."""
        return self.rssi_dbm - fade_db > SENSITIVITY_DBM

    def error_rate(self, fade_db: float) -> float:
        """Packet error rate with the signal weakened by ``fade_db``: rising towards 1 at the sensitivity."""
        margin_db = self.rssi_dbm - fade_db - SENSITIVITY_DBM
        clear = min(max(margin_db / FADE_MARGIN_DB, 0.0), 1.0)
        return 1.0 - (1.0 - self.packet_error_rate) * clear
