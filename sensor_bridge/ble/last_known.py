"""What is remembered of a sensor while it is away: where it was, which one it is, how its battery was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sensor_bridge.errors import SensorNotFound

if TYPE_CHECKING:
    from sensor_bridge.ble.link import SensorSettings

_NEARLY_EMPTY_PERCENT: Final = 10  # what is told is read off the voltage, and that drops quickly at the end


class LastKnown:
    """A sensor's whereabouts, from one link to the next.

    A sensor that is configured by its name could, once it is out of reach, be taken for another of that
    name: after the first link it is looked for at its address, and in between, should it have changed that,
    by its name again, but then only taken with the serial it had.

    Parameters
    ----------
    sensor
        As it is configured.
    """

    def __init__(self, sensor: SensorSettings) -> None:
        self._sensor = sensor
        self._address: str | None = None
        self._serial: str | None = None
        self._battery_percent: int | None = None
        self._n_searches = 0

    def address_to_try(self) -> str | None:
        """Return where to look for it now; None: as it is configured."""
        self._n_searches += 1
        if self._sensor.address is not None or self._n_searches % 2 == 0:
            return None
        return self._address

    def linked(self, address: str, serial: str | None) -> None:
        """Take note of who answered, and where; a sensor without a serial is known by its name alone.

        Raises
        ------
        SensorNotFound
            It is another sensor of the same name.
        """
        if self._sensor.address is None and self._serial not in {None, serial}:
            raise SensorNotFound(
                f"{self._sensor.sensor_id}: the sensor '{self._sensor.name or self._sensor.sensor_id}' at "
                f"{address} has serial {serial}, the one worn until now had {self._serial}; switch that one "
                "on, or give the address of the right one in the configuration"
            )
        self._address, self._serial = address, serial
        self._n_searches = 0

    def charged(self, percent: int) -> None:
        """Take note of its battery."""
        self._battery_percent = percent

    def explained(self, reason: str) -> str:
        """Add to the reason for a link's end what the last known battery makes likely."""
        percent = self._battery_percent
        if percent is None or percent >= _NEARLY_EMPTY_PERCENT:
            return reason
        return f"{reason} (its battery was at {percent} % when last heard: charge it)"
