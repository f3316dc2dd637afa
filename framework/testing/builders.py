"""Facts for tests with sane defaults: one line builds what a component sees, and names only what matters.

Numbers may be given as `Decimal`, text or int. The default market trades at 99.99 / 100.01 with a tick of 0.01 and
a step of 0.001; the default instant is `NOW_NS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from attrs import evolve

from ..core.execution import EntryPlan
from ..core.market import (
    INTERVALS_S,
    Account,
    Candle,
    ClosedPosition,
    MarketData,
    MarketRules,
    MarketSnapshot,
    Need,
    OpenPosition,
    Portfolio,
    Quote,
)
from ..core.plan import SizedPlan, SizingRequest
from ..core.protection import Holding
from ..core.signal import Side, Signal, SignalSettings
from ..core.verdict import Accepted, Size

NOW_NS = 1_735_732_830_000_000_000
"""2025-01-01 12:00:30 UTC, the instant at which the facts of these builders hold."""

SYMBOL = "BTCUSDT"
ACCOUNT = "paper"

Numeric = Decimal | str | int


def make_signal(
    symbol: str = SYMBOL,
    side: Side = Side.LONG,
    *,
    id: str = "signal-1",  # noqa: A002 - the field's own name
    source: str = "test",
    account: str = ACCOUNT,
    bar_time_ns: int = NOW_NS - 930_000_000_000,
    created_ns: int = NOW_NS - 10_000_000_000,
    received_ns: int = NOW_NS - 5_000_000_000,
    score: Numeric = 90,
    scores: Mapping[str, Numeric] | None = None,
    settings: SignalSettings | None = None,
) -> Signal:
    """A signal of ten seconds ago. `scores` are empty unless given."""
    return Signal(
        id=id,
        source=source,
        account=account,
        symbol=symbol,
        side=side,
        bar_time_ns=bar_time_ns,
        created_ns=created_ns,
        received_ns=received_ns,
        score=Decimal(score),
        scores={name: Decimal(value) for name, value in (scores or {}).items()},
        settings=settings or SignalSettings(),
    )


def make_rules(
    symbol: str = SYMBOL,
    *,
    tick_size: Numeric = "0.01",
    step_size: Numeric = "0.001",
    min_quantity: Numeric = "0.001",
    max_quantity: Numeric = 10_000,
    min_notional: Numeric = 5,
    min_price: Numeric | None = None,
    max_price: Numeric = 1_000_000,
    price_band: Numeric | None = None,
    max_leverage: Numeric | None = None,
    trigger_band: Numeric | None = None,
    closes_any_notional: bool = False,
) -> MarketRules:
    """The rules of a market. `min_price` is one tick unless given."""
    return MarketRules(
        symbol=symbol,
        tick_size=Decimal(tick_size),
        step_size=Decimal(step_size),
        min_quantity=Decimal(min_quantity),
        max_quantity=Decimal(max_quantity),
        min_notional=Decimal(min_notional),
        min_price=Decimal(tick_size if min_price is None else min_price),
        max_price=Decimal(max_price),
        price_band=None if price_band is None else Decimal(price_band),
        max_leverage=None if max_leverage is None else Decimal(max_leverage),
        trigger_band=None if trigger_band is None else Decimal(trigger_band),
        closes_any_notional=closes_any_notional,
    )


def make_quote(
    bid: Numeric = "99.99",
    ask: Numeric = "100.01",
    *,
    last: Numeric | None = None,
    mark: Numeric | None = None,
    time_ns: int = NOW_NS,
) -> Quote:
    """A quote. `last` is the bid and `mark` the middle unless given."""
    low, high = Decimal(bid), Decimal(ask)
    return Quote(
        bid=low,
        ask=high,
        last=low if last is None else Decimal(last),
        mark=(low + high) / 2 if mark is None else Decimal(mark),
        time_ns=time_ns,
    )


def make_candles(
    interval: str,
    count: int,
    *,
    first_open: Numeric = 100,
    last_close: Numeric = 100,
    quote_volume: Numeric = 1_000_000,
    time_ns: int = NOW_NS,
) -> tuple[Candle, ...]:
    """`count` closed candles without gaps, the newest the one that closed last before `time_ns`, oldest first.

    The price goes in a straight line from `first_open` to `last_close`; `quote_volume` is that of each candle.
    """
    length_ns = INTERVALS_S[interval] * 1_000_000_000
    end_ns = time_ns - time_ns % length_ns
    start, move = Decimal(first_open), Decimal(last_close) - Decimal(first_open)
    candles = []
    for index in range(count):
        opened, closed = start + move * index / count, start + move * (index + 1) / count
        open_ns = end_ns - (count - index) * length_ns
        candles.append(
            Candle(
                open_ns=open_ns,
                close_ns=open_ns + length_ns,
                open=opened,
                high=max(opened, closed),
                low=min(opened, closed),
                close=closed,
                quote_volume=Decimal(quote_volume),
            )
        )
    return tuple(candles)


def make_open_position(
    symbol: str = SYMBOL,
    side: Side = Side.LONG,
    *,
    account: str = ACCOUNT,
    quantity: Numeric = 1,
    entry_price: Numeric = 100,
) -> OpenPosition:
    """An open position; its notional follows from quantity and entry price."""
    size, price = Decimal(quantity), Decimal(entry_price)
    return OpenPosition(account, symbol, side, size, price, size * price)


def make_closed_position(
    symbol: str = SYMBOL,
    side: Side = Side.LONG,
    *,
    account: str = ACCOUNT,
    closed_ns: int = NOW_NS - 60_000_000_000,
    realized_pnl_usd: Numeric = -1,
) -> ClosedPosition:
    """A position that was closed a minute ago with a loss of one USD."""
    return ClosedPosition(account, symbol, side, closed_ns, Decimal(realized_pnl_usd))


def make_account(
    name: str = ACCOUNT,
    *,
    equity_usd: Numeric = 1000,
    available_usd: Numeric | None = None,
    open: Iterable[OpenPosition] = (),  # noqa: A002 - the field's own name
    closed: Iterable[ClosedPosition] = (),
    leverage: Numeric = 10,
) -> Account:
    """An account. `available_usd` is the equity unless given."""
    return Account(
        name=name,
        equity_usd=Decimal(equity_usd),
        available_usd=Decimal(equity_usd if available_usd is None else available_usd),
        open=tuple(open),
        closed=tuple(closed),
        leverage=Decimal(leverage),
    )


def make_portfolio(*accounts: Account, time_ns: int = NOW_NS) -> Portfolio:
    """All accounts of a deployment: those given, or the default one."""
    return Portfolio(time_ns, {account.name: account for account in accounts or (make_account(),)})


_RULES = make_rules()
_QUOTE = make_quote()


def make_snapshot(
    symbol: str = SYMBOL,
    *,
    needs: Iterable[Need] = (),
    account: Account | None = None,
    time_ns: int = NOW_NS,
    rules: MarketRules | None = _RULES,
    quote: Quote | None = _QUOTE,
    open_interest_usd: Numeric | None = 10_000_000,
    candles: Mapping[str, tuple[Candle, ...]] | None = None,
    max_age_ns: int | None = None,
) -> MarketSnapshot:
    """What a filter that declared `needs` sees; usually ``make_snapshot(needs=component.needs)``.

    `rules` None: the venue does not list the market. `quote` or `open_interest_usd` None: the venue has none.
    Candles are absent unless given.
    """
    return MarketSnapshot(
        symbol=symbol,
        account=(account or make_account()).name,
        time_ns=time_ns,
        rules=None if rules is None else evolve(rules, symbol=symbol),
        data=MarketData(
            symbol=symbol,
            quote=quote,
            open_interest_usd=None if open_interest_usd is None else Decimal(open_interest_usd),
            candles=candles or {},
        ),
        state=account or make_account(),
        declared=frozenset(needs),
        max_age_ns=max_age_ns,
    )


def make_request(
    side: Side = Side.LONG,
    *,
    price: Numeric = 100,
    stop_price: Numeric | None = None,
    rules: MarketRules | None = None,
    account: Account | None = None,
    signal: Signal | None = None,
) -> SizingRequest:
    """What a sizer sees. The stop is six percent away, on the losing side, unless given."""
    entry = Decimal(price)
    stop = entry - side.sign * entry * 6 / 100 if stop_price is None else Decimal(stop_price)
    return SizingRequest(
        signal=signal or make_signal(side=side),
        price=entry,
        stop_price=stop,
        rules=rules or make_rules(),
        account=account or make_account(),
    )


def make_plan(
    side: Side = Side.LONG,
    *,
    symbol: str = SYMBOL,
    account: str = ACCOUNT,
    quantity: Numeric = 1,
    price: Numeric = 100,
    stop_price: Numeric | None = None,
    rules: MarketRules | None = None,
) -> SizedPlan:
    """A sized plan, as risk rules see it. The stop is six percent away, on the losing side, unless given."""
    signal = make_signal(symbol, side, account=account)
    request = make_request(side, price=price, stop_price=stop_price, rules=rules, signal=signal)
    return SizedPlan(
        accepted=Accepted(signal, make_snapshot(symbol, account=make_account(account)), ()),
        price=request.price,
        stop_price=request.stop_price,
        stop_by="stop-loss",
        size=Size(Decimal(quantity)),
        rules=evolve(request.rules, symbol=symbol),
        quote=make_quote(),
        checks=(),
    )


def make_entry_plan(
    side: Side = Side.LONG,
    *,
    symbol: str = SYMBOL,
    quantity: Numeric = 1,
    quote: Quote | None = None,
    rules: MarketRules | None = None,
) -> EntryPlan:
    """What an execution sees."""
    return EntryPlan(symbol, side, Decimal(quantity), quote or make_quote(), rules or make_rules(symbol))


def make_holding(
    side: Side = Side.LONG,
    *,
    symbol: str = SYMBOL,
    account: str = ACCOUNT,
    entry_price: Numeric = 100,
    quantity: Numeric = 1,
    opened_ns: int = NOW_NS,
    rules: MarketRules | None = None,
    settings: SignalSettings | None = None,
    fee_rate: Numeric = 0,
    leverage: Numeric | None = None,
    measured: Mapping[str, Decimal] | None = None,
) -> Holding:
    """An open position, as protections see it."""
    return Holding(
        account=account,
        symbol=symbol,
        side=side,
        entry_price=Decimal(entry_price),
        quantity=Decimal(quantity),
        opened_ns=opened_ns,
        rules=rules or make_rules(symbol),
        settings=settings or SignalSettings(),
        fee_rate=Decimal(fee_rate),
        leverage=None if leverage is None else Decimal(leverage),
        measured=measured or {},
    )
