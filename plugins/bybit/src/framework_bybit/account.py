"""The account as a whole: what the key may do, margin mode and position mode, and the leverage of each market.

Source: "Bybit v5", the chapters User, Account and Position.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import define, frozen

from framework import ExchangeError, MarketRules, trimmed
from framework_venue.answers import Hint
from framework_venue.budget import Purpose
from framework_venue.line import Line

from . import limits, requests
from .reads import Reads
from .settings import BybitSettings
from .strange import Row, number_or_none, optional, result, text, whole

ONE_WAY, CLASSIC = 0, 1
PROBE = "BTCUSDT"
"""A market that is surely listed, to see in which position mode an account is."""

WITHDRAW_TEXT = (
    "the key may withdraw; make one without that right, or set allow_withdraw = true if you really want to use it"
)
TRADE_TEXT = "the key may not trade contracts; give it orders and positions in the venue's API management"


@frozen
class KeyFacts:
    """What a key may do ("Get API Key Information")."""

    trades: bool
    withdraws: bool
    bound: bool
    expires: str


@define(eq=False)
class Account:
    """Brings one account in order, and says what it is like."""

    line: Line
    settings: BybitSettings
    reads: Reads

    async def check(self) -> None:
        """Raise `ExchangeError` for an account that must not be traded as it is. Modes are set where that is safe."""
        clock, most_ms = self.line.clock, self.settings.max_clock_skew_ms
        if abs(clock.skew_ms) > most_ms:  # the first measurement paid for the connection: it is far less exact
            await self.line.client.sync_clock()
        facts = await self.key()
        if facts.withdraws and not self.settings.allow_withdraw:
            raise self._error("key_may_withdraw", WITHDRAW_TEXT, for_good=True)
        if not facts.trades:
            raise self._error("key_may_not_trade", TRADE_TEXT, for_good=True)
        await self._margin_mode()
        await self._one_way(self.probe(), coin=True)

    async def key(self) -> KeyFacts:
        """What the key may do. Raises `ExchangeError`."""
        body = await self.line.client.read(limits.API_KEY, {}, Purpose.PREPARE)
        return self.reads.understood(limits.API_KEY, _key_facts, body)

    def probe(self) -> str:
        """The first of `symbols`, or a market that is surely there."""
        markets = self.line.markets
        return next((one for one in (*self.settings.symbols, PROBE) if one in markets), min(markets, default=PROBE))

    # ── margin mode ─────────────────────────────────────────────────────────────────────────────────────────

    async def margin_mode(self) -> str:
        """The venue's word for the account's margin mode. Raises `ExchangeError`, also for a classic account."""
        body = await self.line.client.read(limits.ACCOUNT, {}, Purpose.PREPARE)
        row = self.reads.understood(limits.ACCOUNT, result, body)
        if self.reads.understood(limits.ACCOUNT, whole, row, "unifiedMarginStatus") == CLASSIC:
            text_ = "this is a classic account; upgrade it to a unified trading account"
            raise self._error("account", text_, for_good=True)
        return self.reads.understood(limits.ACCOUNT, text, row, "marginMode")

    async def _margin_mode(self) -> None:
        """Set it for the whole account; while something is open it is left as it is, and told."""
        wanted = self.settings.margin_name
        now = await self.margin_mode()
        if now == wanted:
            return
        if await self._has_something_open():
            text_ = f"the margin mode is {now}, not {wanted}: it can be set only while nothing is open"
            self.line.notice("warning", "margin_mode", f"{self._account}: {text_}")
            return
        params = {"setMarginMode": wanted}
        answer = await self.line.client.call(limits.SET_MARGIN_MODE, params, Purpose.PREPARE)
        if not answer.accepted and answer.hint is not Hint.UNCHANGED:
            why = f"{answer.message} {_reasons(answer.body)}".strip()
            text_ = f"the margin mode can't be set to {wanted}: {why}"
            raise self._error(answer.code, text_, for_good=answer.for_good)
        if await self.margin_mode() != wanted:
            text_ = f"the margin mode was set to {wanted}, but it is not; set it by hand"
            raise self._error(answer.code, text_, for_good=True)

    async def _has_something_open(self) -> bool:
        if await self.reads.positions():
            return True
        params = requests.linear(settleCoin=requests.COIN, limit=1)
        async for _ in self.reads.pages(limits.OPEN_ORDERS, params, Purpose.PREPARE):
            return True
        return False

    # ── position mode ───────────────────────────────────────────────────────────────────────────────────────

    async def is_one_way(self, symbol: str) -> bool:
        """Whether a market is held as one position, not by side."""
        return _is_one_way(await self._rows(symbol))

    async def _one_way(self, symbol: str, *, coin: bool) -> None:
        """Switch to one-way mode where it is not: all markets of the coin, or one. Possible only while flat."""
        if await self.is_one_way(symbol):
            return
        which = {"coin": requests.COIN} if coin else {"symbol": symbol}
        answer = await self.line.client.call(
            limits.SWITCH_MODE, requests.linear(mode=ONE_WAY, **which), Purpose.PREPARE
        )
        if not answer.accepted and answer.hint is not Hint.UNCHANGED:
            text_ = f"{symbol} is held by side (hedge mode), and can't be switched to one-way mode: {answer.message}"
            text_ = f"{text_}; close its positions and orders, or switch it by hand"
            raise self._error(answer.code, text_, for_good=answer.for_good)
        if not await self.is_one_way(symbol):
            text_ = f"{symbol} is still held by side (hedge mode): switch it to one-way mode"
            raise self._error(answer.code, text_, for_good=True)

    # ── leverage ────────────────────────────────────────────────────────────────────────────────────────────

    async def in_order(self) -> frozenset[str]:
        """Markets with a position whose leverage and mode are as wanted: all that one query tells."""
        params = requests.linear(settleCoin=requests.COIN, limit=200)
        found = [row async for row in self.reads.pages(limits.POSITIONS, params, Purpose.PREPARE)]
        return frozenset(symbol for row in found if (symbol := optional(row, "symbol")) and self._fit([row], symbol))

    async def leverage_fits(self, symbol: str) -> bool:
        """Whether mode and leverage of a market are as wanted."""
        return self._fit(await self._rows(symbol), symbol)

    async def put_in_order(self, symbol: str) -> None:
        """One-way mode and leverage of a market. What is so already is left alone."""
        found = await self._rows(symbol)
        if not _is_one_way(found):
            await self._one_way(symbol, coin=False)
            found = await self._rows(symbol)
        if self._fit(found, symbol):
            return
        wanted = trimmed(self.leverage(symbol))
        params = requests.linear(symbol=symbol, buyLeverage=wanted, sellLeverage=wanted)
        answer = await self.line.client.call(limits.SET_LEVERAGE, params, Purpose.PREPARE)
        if answer.accepted:
            return
        if answer.hint is Hint.UNCHANGED and await self.leverage_fits(symbol):
            return
        text_ = f"the leverage of {symbol} can't be set to {wanted}: {answer.message}"
        raise self._error(answer.code, text_, for_good=answer.for_good)

    def leverage(self, symbol: str) -> Decimal:
        """The leverage that is wanted in a market: the setting, or the market's own maximum."""
        rules: MarketRules | None = self.line.markets.get(symbol)
        most = None if rules is None else rules.max_leverage
        wanted = Decimal(self.settings.leverage)
        return wanted if most is None else min(wanted, most)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _rows(self, symbol: str) -> list[Row]:
        return await self.reads.position_rows(symbol, Purpose.PREPARE)

    def _fit(self, found: list[Row], symbol: str) -> bool:
        return bool(found) and all(self.reads.understood(limits.POSITIONS, self._fits, row, symbol) for row in found)

    def _fits(self, row: Row, symbol: str) -> bool:
        return whole(row, "positionIdx") == ONE_WAY and number_or_none(row, "leverage") == self.leverage(symbol)

    def _error(self, code: str, message: str, *, for_good: bool) -> ExchangeError:
        return ExchangeError(self._account, message, code=code, for_good=for_good)

    @property
    def _account(self) -> str:
        return self.line.link.account


def _key_facts(body: Any) -> KeyFacts:
    row = result(body)
    rights = row.get("permissions")
    allowed: Mapping[str, object] = rights if isinstance(rights, dict) else {}
    return KeyFacts(
        trades=whole(row, "readOnly") == 0 and {"Order", "Position"} <= set(_listed(allowed, "ContractTrade")),
        withdraws="Withdraw" in _listed(allowed, "Wallet"),
        bound=any(each != "*" for each in _listed(row, "ips")),
        expires=optional(row, "expiredAt"),
    )


def _listed(row: Mapping[str, object], name: str) -> list[str]:
    found = row.get(name)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _is_one_way(found: list[Row]) -> bool:
    return bool(found) and all(row.get("positionIdx") == ONE_WAY for row in found)


def _reasons(body: object) -> str:
    found = body.get("result") if isinstance(body, dict) else None
    reasons = found.get("reasons") if isinstance(found, dict) else None
    if not isinstance(reasons, list):
        return ""
    return "; ".join(str(each.get("reasonMsg", "")) for each in reasons if isinstance(each, dict))
