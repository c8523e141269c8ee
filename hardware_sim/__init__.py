"""The stand-in world: virtual athlete, virtual sensors, virtual radio."""

from hardware_sim.athlete import Performance, fit_repetitions, simulate
from hardware_sim.errors import HardwareSimError, RecordingSourceError, ScenarioError
from hardware_sim.recording_source import SampleSource, from_si
from hardware_sim.scenario import Scenario
from hardware_sim.scenario_file import load_scenario, scenario_names
from hardware_sim.worn_sensors import sample_sources, trace_columns, trace_metadata, truth_document

__all__ = [
    "HardwareSimError",
    "Performance",
    "RecordingSourceError",
    "SampleSource",
    "Scenario",
    "ScenarioError",
    "fit_repetitions",
    "from_si",
    "load_scenario",
    "sample_sources",
    "scenario_names",
    "simulate",
    "trace_columns",
    "trace_metadata",
    "truth_document",
]
