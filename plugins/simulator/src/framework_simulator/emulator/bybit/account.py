"""The account: keys, money, fees, margin mode, position mode, leverage.

Source: "Bybit v5", the chapters Account, User and Position.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.choices import WHOLE_ACCOUNT
from .call import Call, Handler, Row, page
from .errors import VenueError, bad_param
from .shapes import money, wallet_row
from .words import COIN, ms, text

UTA_2_PRO = 6
_MODES = {"REGULAR_MARGIN": False, "ISOLATED_MARGIN": True, "PORTFOLIO_MARGIN": False}
_POSITION_MODES = {0: False, 3: True}
_INCOME = {"realized-pnl": "TRADE", "commission": "TRADE", "transfer": "TRANSFER_IN", "funding": "SETTLEMENT"}


def api_key(call: Call) -> dict[str, Any]:
    """GET user/query-api: what the key may do."""
    key = call.key
    if key is None:
        raise VenueError(10003)
    trades, withdraws = "trade" in key.permissions, "withdraw" in key.permissions
    return {
        "id": "1",
        "note": "emulator",
        "apiKey": key.key,
        "readOnly": 0 if trades or withdraws else 1,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"] if trades else [],
            "Spot": [],
            "Wallet": ["AccountTransfer", "Withdraw"] if withdraws else [],
            "Options": [],
            "Derivatives": ["DerivativesTrade"] if trades else [],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
        },
        "ips": ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2099-12-31T00:00:00Z",
        "createdAt": "2024-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": 1,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }


def info(call: Call) -> dict[str, Any]:
    """GET account/info."""
    isolated = WHOLE_ACCOUNT in call.engine.account(call.account).isolated
    return {
        "unifiedMarginStatus": UTA_2_PRO,
        "marginMode": "ISOLATED_MARGIN" if isolated else "REGULAR_MARGIN",
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "updatedTime": str(call.world.told_ms("bybit")),
    }


def wallet_balance(call: Call) -> dict[str, Any]:
    """GET account/wallet-balance."""
    if call.params.need("accountType") != "UNIFIED":
        raise VenueError(10001, "accountType only support UNIFIED.")
    row = wallet(call)
    coins = call.params.text("coin")
    if coins is not None:
        row["coin"] = [coin for coin in row["coin"] if coin["coin"] in coins.split(",")]
    return {"list": [row]}


def wallet(call: Call) -> Row:
    """The account's money, as the route and the topic tell it."""
    engine, account = call.engine, call.account
    return wallet_row(engine.wallet(account), engine.account(account).realized_pnl)


def fee_rate(call: Call) -> dict[str, Any]:
    """GET account/fee-rate."""
    call.params.linear()
    symbol, account = call.some_symbol(), call.engine.account(call.account)
    taker, maker = (text(fee.value / 100) for fee in (account.taker_fee, account.maker_fee))
    symbols = call.engine.markets if symbol is None else (symbol,)
    return {"list": [{"symbol": one, "takerFeeRate": taker, "makerFeeRate": maker} for one in symbols]}


def set_margin_mode(call: Call) -> dict[str, Any]:
    """POST account/set-margin-mode. Money stays cross: only the label changes, where it may."""
    mode = call.params.one_of("setMarginMode", _MODES, "")
    if mode == "PORTFOLIO_MARGIN":
        raise VenueError(10001, "PORTFOLIO_MARGIN is not emulated")
    try:
        call.act(lambda venue, account, now_ns: venue.set_isolated(account, None, _MODES[mode], now_ns))
    except VenueError as error:
        if error.code != 110024:
            raise
        failed = VenueError(110073)
        failed.result = {"reasons": [{"reasonCode": str(error.code), "reasonMsg": error.message}]}
        raise failed from None
    return {"reasons": []}


def switch_mode(call: Call) -> dict[str, Any]:
    """POST position/switch-mode. The mode is the account's here, whatever the symbol or coin."""
    call.params.linear()
    symbol = call.some_symbol()
    hedge = _POSITION_MODES.get(call.params.whole("mode") or 0)
    if hedge is None:
        raise bad_param("mode")
    wanted = hedge
    if symbol is None and wanted is call.engine.account(call.account).hedge_mode:
        # Unverified: a coin whose markets are in that mode already. Bots set it so at every start, and count on a yes;
        # it is the answer for one symbol that says "not modified".
        return {}
    call.act(lambda venue, account, now_ns: venue.set_hedge_mode(account, wanted, now_ns))
    return {}


def set_leverage(call: Call) -> dict[str, Any]:
    """POST position/set-leverage."""
    call.params.linear()
    symbol = call.symbol()
    buy, sell = call.params.need_decimal("buyLeverage"), call.params.need_decimal("sellLeverage")
    if buy != sell:
        raise VenueError(10001, "buy leverage and sell leverage should be equal in one-way mode")
    call.act(lambda venue, account, now_ns: venue.set_leverage(account, symbol, buy, now_ns))
    return {}


def transactions(call: Call) -> dict[str, Any]:
    """GET account/transaction-log, newest first."""
    rows = [
        {
            "id": str(one.number),
            "symbol": one.symbol,
            "category": "linear",
            "side": "",
            "transactionTime": ms(one.time_ns),
            "type": _INCOME[one.kind],
            "qty": "0",
            "size": "0",
            "currency": COIN,
            "tradePrice": "0",
            "funding": money(one.amount) if one.kind == "funding" else "",
            "fee": money(-one.amount) if one.kind == "commission" else "0",
            "cashFlow": "0" if one.kind == "commission" else money(one.amount),
            "change": money(one.amount),
            "feeRate": "0",
            "bonusChange": "",
            "tradeId": one.trade_id,
            "orderId": "",
            "orderLinkId": "",
        }
        for one in call.view.income
    ]
    symbol, kind = call.params.text("symbol"), call.params.text("type")
    rows = [row for row in rows if symbol in (None, row["symbol"]) and kind in (None, row["type"])]
    rows = call.window(lambda row: int(str(row["transactionTime"])) * 1_000_000, rows)
    answer = page(call, rows[::-1], "id", default=20, largest=50)
    return {"list": answer["list"], "nextPageCursor": answer["nextPageCursor"]}


def coins(call: Call) -> dict[str, Any]:
    """GET asset/coin/query-info: USDT and what the markets are based on. Nothing can be moved in or out."""
    bases = [str(row.get("baseCoin", "")) for row in call.world.rows["bybit"].values()]
    names, wanted = dict.fromkeys((COIN, *bases)), call.params.text("coin")
    return {
        "rows": [
            {"name": name, "coin": name, "remainAmount": "0", "chains": []} for name in names if wanted in (None, name)
        ]
    }


def system_status(call: Call) -> dict[str, Any]:
    """GET system/status: no maintenance is announced."""
    return {"list": []}


READS: Mapping[str, Handler] = {
    "/v5/user/query-api": api_key,
    "/v5/account/info": info,
    "/v5/account/wallet-balance": wallet_balance,
    "/v5/account/fee-rate": fee_rate,
    "/v5/account/transaction-log": transactions,
    "/v5/asset/coin/query-info": coins,
}
WRITES: Mapping[str, Handler] = {
    "/v5/account/set-margin-mode": set_margin_mode,
    "/v5/position/switch-mode": switch_mode,
    "/v5/position/set-leverage": set_leverage,
}
