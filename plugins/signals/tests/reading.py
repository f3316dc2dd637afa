"""What a format makes of a message."""

from __future__ import annotations

from typing import Any

from framework import BadSignal, Signal
from framework_signals.alerts import Mapped
from framework_signals.formats import ACCOUNTS, Format, Reader
from framework_signals.wishes import Namer, Rules

NOW_NS = 1_761_950_921_120_000_000


def reader(form: Format, account: str = "main", fields: dict[str, str] | None = None, **rules: Any) -> Reader:
    made = Rules(
        **{"source": "webhook", "account": account, "venues": ACCOUNTS, "bar_minutes": 0, "id_prefix": "", **rules}
    )
    return Reader(form, made, Mapped(fields or {}), Namer(60))


def judged(form: Format, text: str | bytes, **settings: Any) -> Signal | BadSignal:
    """The one answer to a message."""
    (answer,) = reader(form, **settings).read(text, NOW_NS)
    return answer


def good(form: Format, text: str | bytes, **settings: Any) -> Signal:
    answer = judged(form, text, **settings)
    assert isinstance(answer, Signal), answer
    return answer


def code_of(form: Format, text: str | bytes, **settings: Any) -> str:
    answer = judged(form, text, **settings)
    assert isinstance(answer, BadSignal), answer
    assert answer.message
    return answer.code
