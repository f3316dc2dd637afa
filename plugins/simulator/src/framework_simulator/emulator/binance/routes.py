"""Which request is answered by which handler, what it weighs, and who may send it.

Source: "Binance USD-M Futures" (weights of each endpoint). Weight of the address, then new orders of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from . import account, candles, conditional, elsewhere, history, market, orders
from .auth import Security
from .call import Handler
from .params import Params

Weight = int | Callable[[Params], int]


@frozen
class Route:
    """`trades`: the key needs the permission to trade."""

    handler: Handler
    security: Security
    weight: Weight = 1
    orders: int = 0
    trades: bool = False

    def weigh(self, params: Params) -> int:
        """What a request of these parameters weighs."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def _public(handler: Handler, weight: Weight = 1) -> Route:
    return Route(handler, Security.NONE, weight)


def _read(handler: Handler, weight: Weight = 1) -> Route:
    return Route(handler, Security.SIGNED, weight)


def _trade(handler: Handler, weight: Weight = 1, orders: int = 0) -> Route:
    return Route(handler, Security.SIGNED, weight, orders, trades=True)


def _keyed(handler: Handler, weight: Weight = 1) -> Route:
    return Route(handler, Security.KEY, weight)


def by_symbol(one: int, every: int) -> Callable[[Params], int]:
    """A weight that is lower with a symbol."""
    return lambda params: every if params.text("symbol") is None else one


ROUTES: Mapping[tuple[str, str], Route] = {
    # ── market data ──
    ("GET", "/fapi/v1/ping"): _public(market.ping),
    ("GET", "/fapi/v1/time"): _public(market.time),
    ("GET", "/fapi/v1/exchangeInfo"): _public(market.exchange_info),
    ("GET", "/fapi/v1/ticker/24hr"): _public(market.ticker, by_symbol(1, 40)),
    ("GET", "/fapi/v1/ticker/price"): _public(market.price, by_symbol(1, 2)),
    ("GET", "/fapi/v2/ticker/price"): _public(market.price, by_symbol(1, 2)),
    ("GET", "/fapi/v1/ticker/bookTicker"): _public(market.best, by_symbol(2, 5)),
    ("GET", "/fapi/v1/depth"): _public(market.depth, market.depth_weight),
    ("GET", "/fapi/v1/rpiDepth"): _public(market.depth, 20),
    ("GET", "/fapi/v1/trades"): _public(market.trades, 5),
    ("GET", "/fapi/v1/historicalTrades"): _keyed(market.trades, 20),
    ("GET", "/fapi/v1/aggTrades"): _public(market.aggregated_trades, 20),
    ("GET", "/fapi/v1/klines"): _public(candles.candles, candles.candles_weight),
    ("GET", "/fapi/v1/continuousKlines"): _public(candles.pair_candles, candles.candles_weight),
    ("GET", "/fapi/v1/markPriceKlines"): _public(candles.mark_candles, candles.candles_weight),
    ("GET", "/fapi/v1/indexPriceKlines"): _public(candles.index_candles, candles.candles_weight),
    ("GET", "/fapi/v1/premiumIndexKlines"): _public(candles.premium_candles, candles.candles_weight),
    ("GET", "/fapi/v1/symbolAdlRisk"): _public(market.adl_risk),
    ("GET", "/fapi/v1/indexInfo"): _public(market.nothing),
    ("GET", "/fapi/v1/assetIndex"): _public(market.nothing, 10),
    ("GET", "/futures/data/openInterestHist"): _public(market.nothing, 0),
    ("GET", "/futures/data/globalLongShortAccountRatio"): _public(market.nothing, 0),
    ("GET", "/futures/data/topLongShortAccountRatio"): _public(market.nothing, 0),
    ("GET", "/futures/data/topLongShortPositionRatio"): _public(market.nothing, 0),
    ("GET", "/futures/data/takerlongshortRatio"): _public(market.nothing, 0),
    ("GET", "/futures/data/basis"): _public(market.nothing, 0),
    ("GET", "/futures/data/delivery-price"): _public(market.nothing, 0),
    ("GET", "/fapi/v1/premiumIndex"): _public(market.premium, by_symbol(1, 10)),
    ("GET", "/fapi/v1/fundingRate"): _public(market.funding_history, 0),
    ("GET", "/fapi/v1/fundingInfo"): _public(market.funding_info, 0),
    ("GET", "/fapi/v1/openInterest"): _public(market.open_interest),
    ("GET", "/fapi/v1/constituents"): _public(market.constituents, 2),
    # ── orders ──
    ("POST", "/fapi/v1/order"): _trade(orders.place, 0, 1),
    ("POST", "/fapi/v1/order/test"): _trade(orders.test, 0),
    ("PUT", "/fapi/v1/order"): _trade(orders.amend, 0, 1),
    ("DELETE", "/fapi/v1/order"): _trade(orders.cancel),
    ("GET", "/fapi/v1/order"): _read(history.query),
    ("POST", "/fapi/v1/batchOrders"): _trade(orders.place_batch, 5, 5),
    ("PUT", "/fapi/v1/batchOrders"): _trade(orders.amend_batch, 5, 5),
    ("DELETE", "/fapi/v1/batchOrders"): _trade(orders.cancel_batch),
    ("DELETE", "/fapi/v1/allOpenOrders"): _trade(orders.cancel_all),
    ("POST", "/fapi/v1/countdownCancelAll"): _trade(orders.count_down, 10),
    ("GET", "/fapi/v1/openOrder"): _read(history.query_open),
    ("GET", "/fapi/v1/openOrders"): _read(history.list_open, by_symbol(1, 40)),
    ("GET", "/fapi/v1/allOrders"): _read(history.list_all, 5),
    ("GET", "/fapi/v1/orderAmendment"): _read(history.amendments),
    ("GET", "/fapi/v1/forceOrders"): _read(history.list_forced, by_symbol(20, 50)),
    ("GET", "/fapi/v1/userTrades"): _read(history.list_trades, 5),
    # ── conditional orders ──
    ("POST", "/fapi/v1/algoOrder"): _trade(conditional.place, 0, 1),
    ("DELETE", "/fapi/v1/algoOrder"): _trade(conditional.cancel),
    ("GET", "/fapi/v1/algoOrder"): _read(conditional.query),
    ("DELETE", "/fapi/v1/algoOpenOrders"): _trade(conditional.cancel_all),
    ("GET", "/fapi/v1/openAlgoOrders"): _read(conditional.list_open, by_symbol(1, 40)),
    ("GET", "/fapi/v1/allAlgoOrders"): _read(conditional.list_all, 5),
    # ── the account ──
    ("GET", "/fapi/v2/account"): _read(account.account_v2, 5),
    ("GET", "/fapi/v3/account"): _read(account.account_v3, 5),
    ("GET", "/fapi/v2/balance"): _read(account.balance, 5),
    ("GET", "/fapi/v3/balance"): _read(account.balance, 5),
    ("GET", "/fapi/v2/positionRisk"): _read(account.positions_v2, 5),
    ("GET", "/fapi/v3/positionRisk"): _read(account.positions_v3, 5),
    ("GET", "/fapi/v1/leverageBracket"): _read(account.brackets),
    ("GET", "/fapi/v1/symbolConfig"): _read(account.symbol_config, 5),
    ("GET", "/fapi/v1/accountConfig"): _read(account.account_config, 5),
    ("GET", "/fapi/v1/commissionRate"): _read(account.commission, 20),
    ("GET", "/fapi/v1/positionSide/dual"): _read(account.position_mode, 30),
    ("POST", "/fapi/v1/positionSide/dual"): _trade(account.set_position_mode),
    ("POST", "/fapi/v1/leverage"): _trade(account.set_leverage),
    ("POST", "/fapi/v1/marginType"): _trade(account.set_margin_type),
    ("GET", "/fapi/v1/multiAssetsMargin"): _read(account.multi_assets, 30),
    ("POST", "/fapi/v1/multiAssetsMargin"): _trade(account.set_multi_assets),
    ("GET", "/fapi/v1/feeBurn"): _read(account.fee_burn, 30),
    ("POST", "/fapi/v1/feeBurn"): _trade(account.set_fee_burn),
    ("POST", "/fapi/v1/positionMargin"): _trade(account.change_margin),
    ("GET", "/fapi/v1/positionMargin/history"): _read(account.margin_changes),
    ("GET", "/fapi/v1/income"): _read(account.income, 30),
    ("GET", "/fapi/v1/rateLimit/order"): _read(account.order_limits),
    ("GET", "/fapi/v1/adlQuantile"): _read(account.adl_quantiles, 5),
    ("GET", "/fapi/v1/apiTradingStatus"): _read(account.trading_status),
    # ── user streams ──
    ("POST", "/fapi/v1/listenKey"): _keyed(account.start_stream),
    ("PUT", "/fapi/v1/listenKey"): _keyed(account.keep_stream),
    ("DELETE", "/fapi/v1/listenKey"): _keyed(account.close_stream),
    # ── the little of the other sides that futures clients ask for ──
    **{("GET", f"{root}/ping"): _public(market.ping, 0) for root in ("/api/v3", "/dapi/v1")},
    **{("GET", f"{root}/time"): _public(market.time, 0) for root in ("/api/v3", "/dapi/v1")},
    **{("GET", f"{root}/exchangeInfo"): _public(elsewhere.nothing_listed, 0) for root in ("/api/v3", "/dapi/v1")},
    ("GET", "/api/v3/ticker/24hr"): _public(elsewhere.nothing_priced, 0),
    ("GET", "/dapi/v1/ticker/24hr"): _public(elsewhere.nothing_priced, 0),
    ("GET", "/sapi/v1/system/status"): _public(elsewhere.system_status, 0),
    ("GET", "/sapi/v1/account/apiRestrictions"): _read(account.key_permissions),
    ("GET", "/sapi/v1/capital/config/getall"): _read(account.currencies, 10),
    ("GET", "/sapi/v1/margin/allPairs"): _keyed(account.margin_pairs),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): _keyed(account.margin_pairs),
}
