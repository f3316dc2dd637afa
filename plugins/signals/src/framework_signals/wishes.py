"""What any alert boils down to, a wish to open one position, and how that becomes a signal.

Every format reads its own words and hands a `Wish` on. Here the market's name is understood, the account is found, and
the signal gets its identity: the sender's id where there is one, else what it says and when.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field, frozen

from framework import BadSignal, Percent, Side, Signal, SignalSettings

from .json_values import SYMBOL, ValueRefusedError, raw_of, shown
from .secrets_in_text import without_secrets

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
KEPT = 10_000

SIDES: Mapping[str, Side] = {
    "buy": Side.LONG, "long": Side.LONG, "enter_long": Side.LONG, "open_long": Side.LONG,
    "sell": Side.SHORT, "short": Side.SHORT, "enter_short": Side.SHORT, "open_short": Side.SHORT,
}  # fmt: skip
"""The words that ask for a position."""

NO_ENTRY = frozenset({
    "close", "exit", "flat", "cancel", "reduce", "increase", "add", "reverse", "stop", "update",
    "close_long", "close_short", "exit_long", "exit_short",
})  # fmt: skip
"""The words that ask for something else. What is open is closed by its stops and by people, never by a sender."""

PLACEHOLDER = re.compile(r"\{\{.*\}\}")
_PERPETUAL = re.compile(r"\.P$")
_PAIR = re.compile(r"([A-Z0-9]{1,15})[/_-](USDT|USDC)(:[A-Z]{3,5})?")
_VENUE_QUOTE_BASE = re.compile(r"([A-Z]{4})_(USDT|USDC)_([A-Z0-9]{1,15})")
_LETTERS = re.compile(r"[A-Za-z0-9]{1,20}")


@frozen
class Wish:
    """A wish as a format understood it; texts are the sender's own. `created_ns`: when it was made, if it says so.

    `stop_percent`: how far away from the entry its stop is, on the losing side.
    """

    action: str
    market: str
    venue: str | None = None
    id: str | None = None
    created_ns: int | None = None
    score: Decimal = Decimal(0)
    stop_percent: Decimal | None = None


@frozen
class Rules:
    """How wishes of one source become signals.

    `account` is for those that name no venue (empty: they must name one), `venues` the account of each venue by its
    name in lower case. `bar_minutes`: alerts of one bar of so many minutes form a wave; 0: each second is one.
    `id_prefix` stands before the sender's own ids.
    """

    source: str
    account: str
    venues: Mapping[str, str]
    bar_minutes: int
    id_prefix: str


@define
class Namer:
    """Gives an id to what has none of its own: the same wish within `same_within_s` is the same signal.

    Time is cut into windows of that length and the id is made of the window, so that it outlives a restart; what comes
    again across the border of two windows is recognised while the process lives.
    """

    same_within_s: int
    _recent: OrderedDict[str, tuple[int, str]] = field(factory=OrderedDict, init=False)

    def name(self, source: str, what: str, received_ns: int) -> str:
        """The id of a wish that arrived now."""
        within_ns = self.same_within_s * SECOND_NS
        since_ns, name = self._recent.get(what, (0, ""))
        if not name or received_ns - since_ns > within_ns:
            since_ns, name = received_ns, digest_id(source, what, received_ns // within_ns)
        self._recent[what] = (since_ns, name)
        self._recent.move_to_end(what)
        if len(self._recent) > KEPT:
            self._recent.popitem(last=False)
        return name


def digest_id(source: str, what: str, when: int) -> str:
    """An id made of content."""
    return f"{source}:{hashlib.sha256(f'{what}|{when}'.encode()).hexdigest()[:24]}"


def as_signal(wish: Wish, rules: Rules, namer: Namer, received_ns: int) -> Signal:
    """The signal that a wish asks for. Raises `ValueRefusedError`: ``not_an_entry``, ``unknown_action``,
    ``bad_symbol``, ``unknown_venue``, ``missing_field``."""
    side = side_of(wish.action)
    named, symbol = market_of(wish.market)
    account = _account(wish.venue or named, rules)
    created_ns = received_ns if wish.created_ns is None else wish.created_ns
    what = f"{account}|{symbol}|{side.value}"
    bar_ns = (rules.bar_minutes * MINUTE_NS) or SECOND_NS
    bar_time_ns = created_ns // bar_ns * bar_ns
    if wish.id is not None:
        identity = f"{rules.id_prefix}{wish.id}"
    elif wish.created_ns is not None:
        identity = digest_id(rules.source, what, wish.created_ns)
    else:
        identity = namer.name(rules.source, what, received_ns)
    return Signal(
        id=identity,
        source=rules.source,
        account=account,
        symbol=symbol,
        side=side,
        bar_time_ns=bar_time_ns,
        created_ns=created_ns,
        received_ns=received_ns,
        score=wish.score,
        settings=SignalSettings(stop_percent=None if wish.stop_percent is None else Percent(wish.stop_percent)),
    )


def word_of(action: str) -> str:
    """An action as it is looked up: ``Enter Long`` is ``enter_long``."""
    return "_".join(action.strip().lower().replace("-", " ").split())


def side_of(action: str) -> Side:
    """The side that a word asks for."""
    word = word_of(action)
    if word in SIDES:
        return SIDES[word]
    if word in NO_ENTRY:
        raise ValueRefusedError("not_an_entry", f"{shown(action)} asks for no new position; signals only open")
    raise ValueRefusedError(
        "unknown_action", f"{shown(action)} is no action that we know; known: buy, sell and the like"
    )


def market_of(text: str) -> tuple[str | None, str]:
    """The venue, where the name says it, and the market as venues write it.

    ``BTCUSDT.P``, ``BINANCE:BTCUSDT.P``, ``BTC/USDT:USDT``, ``BTC-USDT``, ``BYBI_USDT_SOL``. Raises ``bad_symbol``.
    """
    name = text.strip().upper()
    if PLACEHOLDER.search(name):
        raise ValueRefusedError("bad_symbol", f"the sender left its placeholder as it is: {shown(text)}")
    altrady = _VENUE_QUOTE_BASE.fullmatch(name)
    if altrady:
        return altrady[1], f"{altrady[3]}{altrady[2]}"
    venue: str | None = None
    before, colon, after = name.partition(":")
    if colon and "/" not in before and _LETTERS.fullmatch(before):
        venue, name = before, after
    name = _PERPETUAL.sub("", name)
    pair = _PAIR.fullmatch(name)
    if pair and pair[3] in (None, f":{pair[2]}"):
        name = f"{pair[1]}{pair[2]}"
    if not SYMBOL.fullmatch(name) or len(name) < 5:
        raise ValueRefusedError("bad_symbol", f"{shown(text)} is no market such as BTCUSDT or BTC/USDT")
    return venue, name


def refused(text: object, error: ValueRefusedError, rules: Rules, received_ns: int) -> BadSignal:
    """What could not be used, with the reason, and without what stands for a secret."""
    message = without_secrets(error.message)
    return BadSignal(rules.source, error.code, message, received_ns, without_secrets(raw_of(text)))


def _account(venue: str | None, rules: Rules) -> str:
    if venue is None:
        if not rules.account:
            raise ValueRefusedError("missing_field", "no venue is named, and the source has no `account` for that case")
        return rules.account
    account = rules.venues.get(venue.strip().lower())
    if account is None:
        known = ", ".join(rules.venues) or "none"
        raise ValueRefusedError("unknown_venue", f"{shown(venue)} is no venue that we know ({known})")
    return account
