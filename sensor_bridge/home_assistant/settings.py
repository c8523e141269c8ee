"""What the bridge is told about Home Assistant."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class HomeAssistantConfig(BaseModel):
    """Home Assistant's MQTT discovery.

    Parameters
    ----------
    discovery
        Whether to describe athletes and sensors to it; it then sees athletes' names.
    prefix
        Its discovery prefix.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    discovery: bool = False
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "homeassistant"
