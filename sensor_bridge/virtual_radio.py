"""The one place where the bridge touches the stand-in world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware_sim import athlete, scenario_file, worn_sensors
from hardware_sim.errors import HardwareSimError
from sensor_bridge.errors import UserInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.imu import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """A virtual athlete's performance, as files will say it.

    Parameters
    ----------
    trace_columns, trace_metadata
        trace/1.
    angle_columns
        The exact angles, columns of the angle file.
    truth
        The truth document: repetitions, phases, sensors.
    """

    trace_columns: Mapping[str, FloatArray]
    trace_metadata: Mapping[str, Any]
    angle_columns: Mapping[str, FloatArray]
    truth: Mapping[str, Any]

    @property
    def duration_s(self) -> float:
        """From the first to the last sample, s."""
        times = self.trace_columns["t"]
        return float(times[-1] - times[0])

    @property
    def n_repetitions(self) -> int:
        """How many repetitions the athlete really did."""
        return len(self.truth["repetitions"])


def simulate(scenario: str, seed: int) -> Simulation:
    """Let the virtual athlete perform a scenario, by name or by the path of its TOML file.

    Raises
    ------
    UserInputError
        There is no such scenario, or it asks for what cannot be.
    """
    try:
        performance = athlete.simulate(scenario_file.load_scenario(scenario), seed)
        return Simulation(
            trace_columns=worn_sensors.trace_columns(performance),
            trace_metadata=worn_sensors.trace_metadata(performance),
            angle_columns=performance.truth.angle_columns(),
            truth=worn_sensors.truth_document(performance),
        )
    except HardwareSimError as error:
        raise UserInputError(str(error)) from error
