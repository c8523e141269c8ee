"""What an outbox says is wrong with it, in one sentence each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FULL_ALARM = "outbox_full"
FILLING_ALARM = "outbox_filling"
LOW_DISK_ALARM = "disk_low"
DEAD_ALARM = "outbox_dead_letters"
LOST_ALARM = "outbox_lost"
BLIND_ALARM = "outbox_blind"

_FILLING = 0.8


class OutboxAlarms:
    """Raises, changes and ends the alarms of one outbox; says nothing where nothing has changed.

    Parameters
    ----------
    on_alarm
        Told a code and a sentence, or the code and None when it is over.
    """

    def __init__(self, on_alarm: Callable[[str, str | None], None]) -> None:
        self._on_alarm = on_alarm
        self._said: dict[str, str] = {}

    def full(self, why: str | None, unsaved: int) -> None:
        """Tell that nothing can be saved and why; None: it can."""
        self._tell(FULL_ALARM, why and f"{why}; {_events(unsaved)} in memory only")

    def filling(self, fill: float) -> None:
        """Tell that the space granted to the outbox goes to its end."""
        self._tell(
            FILLING_ALARM,
            f"the outbox is {fill:.0%} full: is the broker running? hipline outbox list shows what waits"
            if fill >= _FILLING
            else None,
        )

    def disk(self, free_bytes: int, least_bytes: int) -> None:
        """Tell that the disk is nearly full."""
        self._tell(
            LOW_DISK_ALARM,
            f"only {free_bytes / 1e6:.0f} MB are free on the disk of the data folder: free some space"
            if free_bytes < least_bytes
            else None,
        )

    def dead(self, refused: int, expired: int, last_reason: str | None = None) -> None:
        """Tell how many events were put aside."""
        because = f", the last because {last_reason}" if last_reason else ""
        count = f"{refused + expired} event{'s' if refused + expired > 1 else ''}"
        self._tell(
            DEAD_ALARM,
            f"{count} put aside ({refused} refused, {expired} expired){because}:"
            " hipline outbox list shows them"
            if refused + expired
            else None,
        )

    def lost(self, count: int) -> None:
        """Tell how many events were given up since the start."""
        self._tell(
            LOST_ALARM,
            f"{count} event{'s' if count > 1 else ''} given up, there being no room on the disk or in memory:"
            " hipline outbox list names them once the disk takes them down"
            if count
            else None,
        )

    def blind(self, is_blind: bool) -> None:
        """Tell that the broker would not say if it refused something."""
        self._tell(
            BLIND_ALARM,
            "the broker speaks MQTT 3.1.1 only: what its access rules deny is lost unseen (docs/mqtt.md)"
            if is_blind
            else None,
        )

    def _tell(self, code: str, text: str | None) -> None:
        if self._said.get(code) == text:
            return
        if text is None:
            del self._said[code]
        else:
            self._said[code] = text
        self._on_alarm(code, text)


def _events(count: int) -> str:
    return f"{count} event waits" if count == 1 else f"{count} events wait"
