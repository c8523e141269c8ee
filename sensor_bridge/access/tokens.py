"""The token of each user, kept in the data folder: made at the first start, the same at every later one."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, Literal

import msgspec

from sensor_bridge.errors import ConfigError
from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE_NAME = "tokens.json"

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0 and 1: somebody may have to type it
_LENGTH = 26  # of 5 bits each: 130 bits, beyond guessing


class _File(msgspec.Struct, frozen=True):
    tokens: dict[str, str]
    format: Literal["tokens/1"] = "tokens/1"


def tokens_path(data_folder: Path) -> Path:
    """Tell where the tokens of a bridge lie that keeps its data in this folder."""
    return data_folder / FILE_NAME


def create_token() -> str:
    """Make a token: 26 random letters and digits, 130 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def read_tokens(data_folder: Path) -> dict[str, str]:
    """Read every user's token; none where there is no file yet.

    Raises
    ------
    ConfigError
        The file cannot be used, or others may read it.
    """
    path = tokens_path(data_folder)
    try:
        mode = path.stat().st_mode
        tokens = msgspec.json.decode(path.read_bytes(), type=_File).tokens
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{path}: holds no tokens: remove it, and the next start makes new ones ({error})"
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path}: others may read it: run chmod 600 {path}, then renew them: hipline tokens --renew"
        )
    if not all(tokens.values()):
        raise ConfigError(f"{path}: holds an empty token: remove it, and the next start makes new ones")
    return tokens


def tokens_of(data_folder: Path, users: Iterable[str]) -> dict[str, str]:
    """Return the token of each of these users; who has none yet gets one.

    Raises
    ------
    BridgeError
        The file cannot be read or written.
    """
    known = read_tokens(data_folder)
    asked = list(users)
    fresh = {user: create_token() for user in asked if user not in known}
    if fresh:
        _write(data_folder, known | fresh)
    return {user: (known | fresh)[user] for user in asked}


def renew_token(data_folder: Path, user: str) -> str:
    """Give a user another token; the old one opens nothing once the bridge has been started again."""
    token = create_token()
    _write(data_folder, read_tokens(data_folder) | {user: token})
    return token


def remove_token(data_folder: Path, user: str) -> None:
    """Forget a user's token."""
    known = read_tokens(data_folder)
    if known.pop(user, None) is not None:
        _write(data_folder, known)


def _write(data_folder: Path, tokens: dict[str, str]) -> None:
    write_private(tokens_path(data_folder), msgspec.json.encode(_File(dict(sorted(tokens.items())))) + b"\n")
