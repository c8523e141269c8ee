"""A gym with one athlete, Anna, and what the pages that show her tell: shared by the tests that look on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sensor_bridge.config import Config
from sensor_bridge.virtual_radio import Playback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from playwright.async_api import ConsoleMessage, Page

    from hardware_sim.recording_source import SampleSource


def annas_gym(
    data_folder: Path, sources: Sequence[SampleSource], prescription: Mapping[str, Any], **settings: Any
) -> Config:
    """Configure a bridge for Anna's virtual sensors, its page on any port."""
    return Config.model_validate(
        {
            "gym": "gym-1",
            "data_folder": data_folder,
            "dashboard": {"port": 0},
            "athletes": [
                {
                    "id": "anna",
                    "name": "Anna",
                    "sensors": Playback(sources).worn_sensors,
                    "prescription": {"exercise": "romanian_deadlift", **prescription},
                }
            ],
            **settings,
        }
    )


def keep_complaints(page: Page, complaints: list[str]) -> None:
    """Gather errors and warnings of a page."""

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))


def recorder(seen: Mapping[str, str]) -> str:
    """Write what notes, 25 times a second, whenever it has changed, what is to be read in a page.

    Parameters
    ----------
    seen
        JavaScript by the name of what it reads. `read(id)` gives the text of a test id, `data(id, name)` its
        data. The page keeps what was noted as `window.glimpses`, each with `at_ms`, UTC.
    """
    fields = ", ".join(f"{name}: {expression}" for name, expression in seen.items())
    return f"""() => {{
        const found = (id) => document.querySelector(`[data-testid=${{id}}]`);
        const read = (id) => found(id)?.textContent ?? '';
        const data = (id, name) => found(id)?.dataset[name] ?? '';
        window.glimpses = [];
        let before = '';
        setInterval(() => {{
            const seen = {{ {fields} }};
            const now = JSON.stringify(seen);
            if (now !== before) window.glimpses.push({{ at_ms: Date.now(), ...seen }});
            before = now;
        }}, 40);
    }}"""
