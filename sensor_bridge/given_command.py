"""A command as it stands in the frame log: read again, it has the same effect at the same place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import msgspec

from sensor_bridge.mqtt.command_payloads import ArgumentError, Arguments, Command, arguments_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to whoever gave a command.

    Parameters
    ----------
    is_done
        Whether it had an effect.
    text
        A sentence for people.
    """

    is_done: bool
    text: str


@dataclass(frozen=True, slots=True)
class GivenCommand:
    """A command whose arguments are what its name promises.

    Parameters
    ----------
    name
        Of the command.
    request
        Named by whoever gave it.
    by
        Where its answer goes.
    arguments
        Typed.
    """

    name: str
    request: str
    by: str
    arguments: Arguments

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.by, self.request

    @classmethod
    def read(cls, name: str, command: Command) -> Self:
        """Check a command that was received.

        Raises
        ------
        ArgumentError
            One line for whoever gave it.
        """
        return cls(name, command.request, command.reply_to, arguments_of(name, command))

    def to_bytes(self) -> bytes:
        """Write the payload of a frame of kind COMMAND."""
        return msgspec.json.encode(
            {
                "name": self.name,
                "request": self.request,
                "by": self.by,
                "arguments": msgspec.structs.asdict(self.arguments),
            }
        )

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Read the payload of a frame of kind COMMAND.

        Raises
        ------
        ArgumentError
            It is not one.
        """
        try:
            told = msgspec.json.decode(payload)
            command = Command(request=told["request"], reply_to=told["by"], arguments=told["arguments"])
            return cls.read(str(told["name"]), command)
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise ArgumentError(f"a command in the frame log is not understood: {error}") from error
