"""MCUboot's rules: a trial, a confirmation, the way back, and what is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware_sim.boot_loader import BootLoader, Swap
from hardware_sim.firmware_image import build_image

KEY = Ed25519PrivateKey.generate()
OLD, NEW = build_image((1, 0, 0), key=KEY), build_image((1, 1, 0), key=KEY)


@pytest.fixture
def loader() -> BootLoader:
    made = BootLoader.with_image(OLD, 100_000, KEY.public_key())
    made.second = NEW
    return made


def test_without_a_request_everything_stays(loader: BootLoader) -> None:
    assert loader.boot().version == (1, 0, 0)
    assert loader.second == NEW


def test_a_trial_that_is_confirmed_stays(loader: BootLoader) -> None:
    loader.swap = Swap.TEST
    assert loader.boot().version == (1, 1, 0)
    assert not loader.is_confirmed
    loader.is_confirmed = True
    assert loader.boot().version == (1, 1, 0)


def test_a_trial_that_is_not_confirmed_goes_back(loader: BootLoader) -> None:
    loader.swap = Swap.TEST
    loader.boot()
    assert loader.boot().version == (1, 0, 0)
    assert loader.is_confirmed
    assert loader.second == NEW
    assert loader.boot().version == (1, 0, 0)


def test_a_permanent_image_needs_no_confirmation(loader: BootLoader) -> None:
    loader.swap = Swap.PERMANENT
    assert loader.boot().version == (1, 1, 0)
    assert loader.is_confirmed


@pytest.mark.parametrize(
    "image",
    [
        build_image((1, 1, 0)),
        build_image((1, 1, 0), key=Ed25519PrivateKey.generate()),
        build_image((0, 9, 9), key=KEY),
        NEW[:-1],
        b"",
    ],
    ids=["not signed", "another key", "older", "cut short", "empty"],
)
def test_an_image_that_is_not_accepted_is_erased(loader: BootLoader, image: bytes) -> None:
    loader.second, loader.swap = image, Swap.TEST
    assert loader.boot().version == (1, 0, 0)
    assert loader.second == b""
    assert loader.swap is Swap.NONE
