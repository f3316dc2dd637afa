"""The account as a whole: what the key may do, position mode, margin mode and leverage of each market."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen

from framework import ExchangeError, MarketRules
from framework_venue.answers import Answer, Kind
from framework_venue.budget import Purpose
from framework_venue.shared import together

from . import limits
from .markets import market_rules
from .session import Session, SymbolConfig
from .strange import StrangeAnswerError, mapping

MARGIN_TYPES = {"CROSSED": "cross", "ISOLATED": "isolated"}
_WANTED = {mode: name for name, mode in MARGIN_TYPES.items()}


@frozen
class Rights:
    """What a key may do, as the venue's wallet tells it ("Get API Key Permission")."""

    withdraw: bool
    trade: bool
    bound_to_addresses: bool


@frozen
class AccountState:
    """What is set for the account as a whole ("Account Config")."""

    may_trade: bool
    hedge: bool
    multi_assets: bool


async def read_markets(session: Session) -> Mapping[str, MarketRules]:
    """The rules of every market that may be traded now; the venue's limits are taken over with them."""
    line = session.line
    body, brackets = await together(
        line.client.read(limits.RULES, {}, Purpose.PREPARE), line.client.read(limits.BRACKETS, {}, Purpose.PREPARE)
    )
    try:
        found, broken = market_rules(body, brackets)
    except StrangeAnswerError as error:
        raise session.strange(limits.RULES, error) from None
    for window in limits.told(body.get("rateLimits"), session.settings.rate_budget_percent):
        line.budget.set(window)
    if broken:
        text_ = f"{session.account}: {len(broken)} markets are left out: {'; '.join(broken[:3])}"
        line.notice("warning", "market_rules_strange", text_)
    return found


# ── the account ─────────────────────────────────────────────────────────────────────────────────────────────


async def check(session: Session) -> None:
    """Raise `ExchangeError` for an account that must not be traded as it is. Hedge mode is left where that is safe."""
    await _measure_again(session)
    rights, state = await together(_rights_asked(session), read_state(session))
    if rights is not None and rights.withdraw:
        raise _refused(session, WITHDRAW_TEXT, "key_may_withdraw", for_good=True)
    session.multi_assets = state.multi_assets
    if not state.may_trade or (rights is not None and not rights.trade):
        raise _refused(session, TRADE_TEXT, "key_may_not_trade", for_good=True)
    if state.hedge:
        await _leave_hedge_mode(session)


async def _measure_again(session: Session) -> None:
    """The first measurement paid for the connection: it is far less exact than one on a warm connection.

    What is open does not wait for the second one, unless the first leaves a doubt whether our clock is near enough.
    """
    line, most_ms = session.line, session.settings.max_clock_skew_ms
    if abs(line.clock.skew_ms) + line.clock.uncertain_ms > most_ms:
        await line.client.sync_clock()
    else:
        line.background.start("second look at the clock", line.client.sync_clock)


WITHDRAW_TEXT = (
    "the key may withdraw; make one without that right, or set allow_withdraw = true if you really want to use it"
)
TRADE_TEXT = "the key may not trade futures; give it that right in the venue's API management"
HEDGE_TEXT = "the account is in hedge mode, and has positions or orders; close them, and set one-way mode"


async def read_rights(session: Session) -> Rights | None:
    """What the key may do; None where the venue does not tell (demo and testnet)."""
    if session.settings.place.wallet is None:
        return None
    try:
        row = mapping(await session.line.client.read(limits.KEY_RIGHTS, {}, Purpose.PREPARE), "the key's rights")
        return Rights(_flag(row, "enableWithdrawals"), _flag(row, "enableFutures"), _flag(row, "ipRestrict"))
    except StrangeAnswerError as error:
        raise session.strange(limits.KEY_RIGHTS, error) from None
    except ExchangeError as error:
        text_ = f"what the key may do can't be read ({error}); mend that, or set allow_withdraw = true to go without"
        raise _refused(session, text_, error.code, for_good=error.for_good) from None


async def _rights_asked(session: Session) -> Rights | None:
    return None if session.settings.allow_withdraw else await read_rights(session)


async def read_state(session: Session) -> AccountState:
    """The account's settings. Its own canWithdraw is about the account, not about the key."""
    try:
        row = mapping(await session.line.client.read(limits.CONFIG, {}, Purpose.PREPARE), "the account's settings")
        return AccountState(_flag(row, "canTrade"), _flag(row, "dualSidePosition"), _flag(row, "multiAssetsMargin"))
    except StrangeAnswerError as error:
        raise session.strange(limits.CONFIG, error) from None


async def _leave_hedge_mode(session: Session) -> None:
    """Set one-way mode. Only if nothing is open: the venue refuses otherwise, but may not count conditional orders."""
    held = await session.positions.get()  # with open orders, too, a market has a row here
    waiting = await session.read_rows(limits.ALL_OPEN_STOPS, {}, Purpose.PREPARE)
    if held or waiting:
        raise _refused(session, HEDGE_TEXT, "hedge_mode", for_good=True)
    answer = await session.call(limits.SET_MODE, {"dualSidePosition": "false"}, Purpose.PREPARE)
    if not answer.accepted and answer.kind is not Kind.NO_OP:
        text_ = f"{HEDGE_TEXT} ({answer.code}: {answer.message})"
        raise _refused(session, text_, "hedge_mode", for_good=answer.for_good)
    if (await read_state(session)).hedge:
        text_ = "the account is in hedge mode although it was told to leave it"
        raise _refused(session, text_, "hedge_mode", for_good=False)
    session.line.notice("info", "one_way_mode", f"{session.account}: the account was set to one-way mode")


# ── markets' settings ───────────────────────────────────────────────────────────────────────────────────────


async def in_order(session: Session) -> Collection[str]:
    """The markets that are set as wanted already: one request tells it of all."""
    found = await _read_configs(session, {})
    wanted = SymbolConfig(session.settings.margin_mode, session.settings.leverage)
    # What is in order now is read anew should somebody change it.
    session.configs = {symbol: config for symbol, config in found.items() if config != wanted}
    return found.keys() - session.configs.keys()


async def put_in_order(session: Session, symbol: str) -> None:
    """Set what differs, and nothing else. "It is so already" is believed only after reading back."""
    config = session.configs.pop(symbol, None) or await read_config(session, symbol)
    settings = session.settings
    doubtful = False
    if config.margin_mode != settings.margin_mode:
        params = {"symbol": symbol, "marginType": _WANTED[settings.margin_mode]}
        answer = await session.call(limits.SET_MARGIN, params, Purpose.PREPARE)
        if not answer.accepted and answer.kind is not Kind.NO_OP:
            what = f"{symbol} has margin mode {config.margin_mode}, and it can't be set to {settings.margin_mode}"
            raise _not_set(session, what, answer)
        doubtful = answer.kind is Kind.NO_OP
    if config.leverage != settings.leverage:
        params = {"symbol": symbol, "leverage": str(settings.leverage)}
        answer = await session.call(limits.SET_LEVERAGE, params, Purpose.PREPARE)
        if not answer.accepted and answer.kind is not Kind.NO_OP:
            what = f"{symbol} has leverage {config.leverage}, and it can't be set to {settings.leverage}"
            raise _not_set(session, what, answer)
        body: Any = answer.body
        doubtful = doubtful or not isinstance(body, dict) or body.get("leverage") != settings.leverage
    if doubtful:
        await _confirm(session, symbol)


async def read_config(session: Session, symbol: str) -> SymbolConfig:
    """What is set for a market. Raises `ExchangeError`."""
    found = (await _read_configs(session, {"symbol": symbol})).get(symbol)
    if found is None:
        raise _refused(session, f"the venue tells no settings of {symbol}", "unknown_symbol", for_good=True)
    return found


async def _confirm(session: Session, symbol: str) -> None:
    config, settings = await read_config(session, symbol), session.settings
    if config != SymbolConfig(settings.margin_mode, settings.leverage):
        what = f"{symbol} has margin mode {config.margin_mode} and leverage {config.leverage}"
        raise _refused(session, f"{what}, although it was set otherwise", "not_in_order", for_good=False)


async def _read_configs(session: Session, params: Mapping[str, str]) -> dict[str, SymbolConfig]:
    """By symbol. A row that is strange is left out: its market is then not known to be in order."""
    found = {}
    for row in await session.read_rows(limits.SYMBOL_CONFIG, params, Purpose.PREPARE):
        symbol, mode, leverage = row.get("symbol"), MARGIN_TYPES.get(str(row.get("marginType"))), row.get("leverage")
        if isinstance(symbol, str) and mode is not None and isinstance(leverage, int):
            found[symbol] = SymbolConfig(mode, leverage)
    return found


def _flag(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    if not isinstance(value, bool):
        raise StrangeAnswerError(f"{name} is missing or neither true nor false: {value!r}")
    return value


def _not_set(session: Session, what: str, answer: Answer) -> ExchangeError:
    text_ = f"{what}: {answer.code}: {answer.message}"
    return _refused(session, text_, answer.code, for_good=answer.for_good)


def _refused(session: Session, message: str, code: str, *, for_good: bool) -> ExchangeError:
    return ExchangeError(session.account, message, code=code, for_good=for_good)
