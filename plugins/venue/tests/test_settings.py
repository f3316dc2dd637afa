"""What settings of an account on a real venue are accepted."""

from __future__ import annotations

from typing import Any

import pytest

from framework import Secret
from framework_venue.settings import VenueSettings, is_loopback


def settings(**given: Any) -> VenueSettings:
    return VenueSettings(**{"api_key": Secret("key"), "api_secret": Secret("secret"), **given})


@pytest.mark.parametrize("field", ["api_key", "api_secret"])
@pytest.mark.parametrize("text", ["", "  ", " key", "key\n"])
def test_a_key_that_is_empty_or_has_spaces_around_it_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValueError, match="is empty, or has spaces around it"):
        settings(**{field: Secret(text)})


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(settings()).replace("api_secret", "")


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "https://venue.example", "stream_url": "wss://venue.example:9443"},
        {"base_url": "http://127.0.0.1:8080", "stream_url": "ws://localhost:8080"},
        {"base_url": "http://[::1]:8080/"},
    ],
)
def test_addresses_are_encrypted_or_lead_to_this_machine(given: dict[str, str]) -> None:
    assert settings(**given).base_url == given["base_url"]


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://venue.example"},
        {"stream_url": "ws://venue.example"},
        {"base_url": "http://127.0.0.1.venue.example"},
    ],
)
def test_an_address_elsewhere_that_is_not_encrypted_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must be encrypted"):
        settings(**given)


@pytest.mark.parametrize(
    "url", ["venue.example", "ftp://venue.example", "https://", "https://v.example/fapi", "https://v?a=1"]
)
def test_an_address_is_a_scheme_and_a_host(url: str) -> None:
    with pytest.raises(ValueError, match="must be https://HOST"):
        settings(base_url=url)


@pytest.mark.parametrize(
    "given",
    [
        {"leverage": 0},
        {"leverage": 126},
        {"warm_connections": 201},
        {"max_clock_skew_ms": 0},
        {"repeat_after_ms": 49},
        {"repeat_after_ms": 5001},
    ],
)
def test_numbers_have_limits(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        settings(**given)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:1", True),
        ("ws://127.8.8.8", True),
        ("http://[::1]", True),
        ("https://10.0.0.1", False),
        ("https://venue.example", False),
        ("nonsense", False),
    ],
)
def test_this_machine_is_told_from_others(url: str, here: bool) -> None:
    assert is_loopback(url) is here
