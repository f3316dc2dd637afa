"""The formats in which messages come, and the settings that a source gives them, behind one question: which signals?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import field, frozen

from framework import BadSignal, Signal

from .alerts import NAMES, Mapped, parse_alert
from .octobot import parse_octobot
from .posted_text import parse_posted
from .secrets_in_text import without_secrets
from .wave_server import VENUES, parse_message
from .wishes import Namer, Rules

Format = Literal["alert", "octobot", "text", "wave"]

ACCOUNTS: Mapping[str, str] = {**VENUES, "binance": "binance", "bybit": "bybit", "bybi": "bybit"}
"""The account for each venue, as senders name them: wave servers by number, alerts by name."""


def known_fields(instance: object, attribute: attrs.Attribute[Any], value: Mapping[str, str]) -> None:
    """Validator for `fields`: only names that we read, and a path for each."""
    for name, path in value.items():
        if name not in NAMES:
            raise ValueError(f"{name!r} is nothing that is read from an alert; known: {', '.join(NAMES)}")
        if not path or not all(path.split(".")):
            raise ValueError(f"{name} needs the name of a field, or a path such as order.side, got {path!r}")


@frozen
class Reader:
    """Reads the messages of one source."""

    form: Format
    rules: Rules
    mapped: Mapped
    namer: Namer = field(factory=lambda: Namer(60))

    def read(
        self, body: str | bytes, received_ns: int, secrets: tuple[str, ...] = ()
    ) -> tuple[Signal | BadSignal, ...]:
        """The signals of a message, each judged alone. Never raises; what is refused is kept without the `secrets`."""
        match self.form:
            case "alert":
                found = parse_alert(body, self.rules, self.mapped, self.namer, received_ns)
            case "octobot":
                found = parse_octobot(body, self.rules, self.namer, received_ns)
            case "text":
                found = parse_posted(body, self.rules, self.namer, received_ns)
            case "wave":
                found = parse_message(body, source=self.rules.source, venues=self.rules.venues, received_ns=received_ns)
        return tuple(_clean(each, secrets) for each in found)


def _clean(each: Signal | BadSignal, secrets: tuple[str, ...]) -> Signal | BadSignal:
    if isinstance(each, Signal):
        return each
    return attrs.evolve(each, raw=without_secrets(each.raw, *secrets), message=without_secrets(each.message, *secrets))


def body_of(line: str) -> str:
    """A line of a file as a message: a JSON text is what it says, all else is the message itself."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return value if isinstance(value, str) else line
