"""What can go wrong in the stand-in world."""

from __future__ import annotations


class HardwareSimError(Exception):
    """Root of every error the stand-in world raises."""


class ScenarioError(HardwareSimError):
    """A scenario says something the virtual athlete cannot do; the message is one line with the mend."""


class RecordingSourceError(HardwareSimError):
    """Arrays handed over as a recording cannot be played by a virtual sensor."""


class RadioConditionsError(HardwareSimError, ValueError):
    """A radio condition that cannot be."""


class NothingLeftToHappen(HardwareSimError):
    """Everybody waits and no timer runs: in real time this would hang for ever."""
