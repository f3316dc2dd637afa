"""Account, balance, positions, settings, income, and the keys of user streams.

Source: "Binance USD-M Futures, Account" and "User Data Streams".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import money
from .call import Call
from .errors import VenueError
from .history import time_filter
from .limits import RATE_LIMITS
from .shapes import DONE, income_row
from .words import text

MARGIN_TYPES = {"ISOLATED": True, "CROSSED": False, "CROSS": False}


def account_v3(call: Call) -> dict[str, Any]:
    """GET v3/account: the markets with a position or an open order."""
    asset = money.asset_row(call)
    positions = [money.account_row(call, symbol) for symbol in money.shown_symbols(call)]
    return {**money.totals(call, asset), "assets": [asset], "positions": positions}


def account_v2(call: Call) -> dict[str, Any]:
    """GET v2/account: every market."""
    asset = money.asset_row(call)
    positions = [money.old_account_row(call, symbol) for symbol in call.engine.markets]
    return {**_rights(call), **money.totals(call, asset), "assets": [asset], "positions": positions}


def balance(call: Call) -> list[dict[str, Any]]:
    """GET v2/balance and v3/balance."""
    asset = money.asset_row(call)
    kept = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount", "marginAvailable",
            "updateTime")  # fmt: skip
    row = {name: asset[name] for name in kept}
    return [{"accountAlias": call.account, "balance": asset["walletBalance"], **row}]


def positions_v3(call: Call) -> list[dict[str, Any]]:
    """GET v3/positionRisk: the markets with a position or an open order."""
    symbol = call.some_symbol()
    return [money.risk_row(call, one) for one in money.shown_symbols(call) if symbol in (None, one)]


def positions_v2(call: Call) -> list[dict[str, Any]]:
    """GET v2/positionRisk: every market."""
    symbol = call.some_symbol()
    symbols = list(call.engine.markets) if symbol is None else [symbol]
    return [money.old_risk_row(call, one) for one in symbols]


def brackets(call: Call) -> list[dict[str, Any]]:
    """GET leverageBracket."""
    symbol = call.some_symbol()
    symbols = list(call.engine.markets) if symbol is None else [symbol]
    return [{"symbol": one, "notionalCoef": 1, "brackets": _brackets(call, one)} for one in symbols]


def symbol_config(call: Call) -> list[dict[str, Any]]:
    """GET symbolConfig."""
    symbol = call.some_symbol()
    symbols = list(call.engine.markets) if symbol is None else [symbol]
    return [
        {
            "symbol": one,
            "marginType": "ISOLATED" if money.is_isolated(call, one) else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": int(call.engine.leverage(call.account, one)),
            "maxNotionalValue": text(money.max_notional(call, one)),
        }
        for one in symbols
    ]


def account_config(call: Call) -> dict[str, Any]:
    """GET accountConfig."""
    rights = _rights(call)
    del rights["feeBurn"]
    return {**rights, "dualSidePosition": call.engine.account(call.account).hedge_mode}


def commission(call: Call) -> dict[str, Any]:
    """GET commissionRate."""
    symbol, account = call.symbol(), call.engine.account(call.account)
    return {
        "symbol": symbol,
        "makerCommissionRate": text(account.maker_fee.of(Decimal(1))),
        "takerCommissionRate": text(account.taker_fee.of(Decimal(1))),
        "rpiCommissionRate": "0",
    }


def set_leverage(call: Call) -> dict[str, Any]:
    """POST leverage. The one in force is accepted silently."""
    symbol, leverage = call.symbol(), call.params.need_whole("leverage")
    if not 1 <= leverage <= 125:
        raise VenueError(-4028, leverage)
    call.act(lambda venue, account, now_ns: venue.set_leverage(account, symbol, Decimal(leverage), now_ns))
    return {"leverage": leverage, "maxNotionalValue": text(money.max_notional(call, symbol)), "symbol": symbol}


def set_margin_type(call: Call) -> dict[str, Any]:
    """POST marginType."""
    symbol = call.symbol()
    isolated = MARGIN_TYPES.get(call.params.need("marginType"))
    if isolated is None:
        raise VenueError(-1130, "marginType")
    call.act(lambda venue, account, now_ns: venue.set_isolated(account, symbol, isolated, now_ns))
    return DONE


def position_mode(call: Call) -> dict[str, Any]:
    """GET positionSide/dual."""
    return {"dualSidePosition": call.engine.account(call.account).hedge_mode}


def set_position_mode(call: Call) -> dict[str, Any]:
    """POST positionSide/dual."""
    call.params.need("dualSidePosition")
    hedge = call.params.truth("dualSidePosition")
    call.act(lambda venue, account, now_ns: venue.set_hedge_mode(account, hedge, now_ns))
    return DONE


def multi_assets(call: Call) -> dict[str, Any]:
    """GET multiAssetsMargin: single-asset mode."""
    return {"multiAssetsMargin": False}


def set_multi_assets(call: Call) -> dict[str, Any]:
    """POST multiAssetsMargin: only what is in force already."""
    call.params.need("multiAssetsMargin")
    if call.params.truth("multiAssetsMargin"):
        raise VenueError(-1020)
    raise VenueError(-4171, message="No need to change margin mode.")


def fee_burn(call: Call) -> dict[str, Any]:
    """GET feeBurn: fees are paid in the quote asset."""
    return {"feeBurn": False}


def set_fee_burn(call: Call) -> dict[str, Any]:
    """POST feeBurn: only off."""
    call.params.need("feeBurn")
    if call.params.truth("feeBurn"):
        raise VenueError(-1020)
    return DONE


def income(call: Call) -> list[dict[str, Any]]:
    """GET income: the newest within the times given, of one type or of all."""
    symbol, kind = call.params.text("symbol"), call.params.text("incomeType")
    within, limit = time_filter(call), call.params.limit(100, 1000)
    rows = (one for one in call.view.income if symbol in (None, one.symbol) and within(one.time_ns))
    return [row for row in map(income_row, rows) if kind in (None, row["incomeType"])][-limit:]


def order_limits(call: Call) -> list[dict[str, Any]]:
    """GET rateLimit/order."""
    return [dict(row) for row in RATE_LIMITS if row["rateLimitType"] == "ORDERS"]


def adl_quantiles(call: Call) -> list[dict[str, Any]]:
    """GET adlQuantile."""
    symbol = call.some_symbol()
    held = [one for one in call.view.positions if symbol in (None, one)]
    return [{"symbol": one, "adlQuantile": {"LONG": 1, "SHORT": 1, "BOTH": 1}} for one in held]


def change_margin(call: Call) -> dict[str, Any]:
    """POST positionMargin: to an isolated position only. The money stays cross: nothing is moved."""
    symbol, kind = call.symbol(), call.params.need_whole("type")
    amount = call.params.need_decimal("amount")
    if kind not in (1, 2):
        raise VenueError(-1130, "type")
    if amount <= 0:
        raise VenueError(-1130, "amount")
    if not money.is_isolated(call, symbol):
        raise VenueError(-4052, message="Can not add position margin: position is not isolated.")
    return {"amount": float(amount), "code": 200, "msg": "Successfully modify position margin.", "type": kind}


def margin_changes(call: Call) -> list[dict[str, Any]]:
    """GET positionMargin/history."""
    call.symbol()
    return []


def trading_status(call: Call) -> dict[str, Any]:
    """GET apiTradingStatus: no quantitative rule was broken."""
    return {"indicators": {}, "updateTime": call.world.told_ms("binance")}


def key_permissions(call: Call) -> dict[str, Any]:
    """GET sapi account/apiRestrictions: what the key may do."""
    rights = call.key.permissions if call.key is not None else frozenset()
    return {
        "ipRestrict": False,
        "createTime": 1_600_000_000_000,
        "enableReading": "read" in rights,
        "enableWithdrawals": "withdraw" in rights,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFutures": "trade" in rights,
        "enableMargin": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


def currencies(call: Call) -> list[dict[str, Any]]:
    """GET sapi capital/config/getall: nothing of the spot side is modelled."""
    return []


def margin_pairs(call: Call) -> list[dict[str, Any]]:
    """GET sapi margin/allPairs: no margin trading."""
    return []


def start_stream(call: Call) -> dict[str, Any]:
    """POST listenKey."""
    return {"listenKey": call.state.listen_keys.start(call.account)}


def keep_stream(call: Call) -> dict[str, Any]:
    """PUT listenKey."""
    return {"listenKey": call.state.listen_keys.keep_alive(call.account)}


def close_stream(call: Call) -> dict[str, Any]:
    """DELETE listenKey."""
    call.state.listen_keys.close(call.account)
    return {}


def _rights(call: Call) -> dict[str, Any]:
    rights = call.key.permissions if call.key is not None else frozenset()
    return {
        "feeTier": 0,
        "feeBurn": False,
        "canTrade": "trade" in rights,
        "canDeposit": True,
        "canWithdraw": "withdraw" in rights,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def _brackets(call: Call, symbol: str) -> list[dict[str, Any]]:
    return [
        {
            "bracket": number,
            "initialLeverage": int(tier.max_leverage),
            "notionalCap": int(tier.cap),
            "notionalFloor": int(tier.floor),
            "maintMarginRatio": _json_number(tier.maintenance_rate),
            "cum": _json_number(tier.deduction),
        }
        for number, tier in enumerate(call.market(symbol).tiers, start=1)
    ]


def _json_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
