"""How long the decisions of the documented wave take, from the filters to the plans, its markets in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from attrs import define, field

from framework.components import Clock, ExchangeLink, PlaysRecordings
from framework.config import Deployment, load_deployment
from framework.core.decide import Rulebook, decide
from framework.core.feed import Batch, MarketUpdate
from framework.core.market import Account, MarketData, MarketRules, MarketSnapshot, Need, Portfolio, union_of
from framework.core.plan import SizedPlan
from framework.core.screen import screen
from framework.core.signal import Signal
from framework.core.verdict import Refused
from framework.engine.clock import VirtualClock
from framework.engine.virtual import VirtualLoop, run_virtual

from .measure import ROOT, Figure, count, median_s

BUDGET_S = 0.005
NS = 1_000_000_000


@define
class Wave:
    """The wave as the engine sees it when it decides: signals, markets, accounts."""

    now_ns: int = 0
    signals: list[Signal] = field(factory=list)
    rules: dict[str, dict[str, MarketRules]] = field(factory=dict)
    markets: dict[str, MarketData] = field(factory=dict)
    portfolio: Portfolio = field(factory=lambda: Portfolio(0, {}))


@define
class _Link:
    """Plays the recording to the simulated venues until the signals arrive."""

    clock: Clock
    publish: Callable[[MarketUpdate], None]
    arrived: asyncio.Future[Batch]

    async def submit(self, batch: Batch) -> None:
        self.arrived.set_result(batch)

    async def until(self, t_ns: int) -> None:
        await asyncio.sleep(max(0, t_ns - self.clock.now_ns()) / NS)

    def tell(self, level: str, code: str, message: str) -> None:
        """A recording has nothing to say of itself."""


def recorded_wave(deployment: Deployment) -> Wave:
    """Play the default deployment's recording up to the signals, and look at every market of the wave."""
    (source,) = deployment.enabled_sources
    timeline = source.component.timeline()
    if timeline is None:
        raise RuntimeError("the default deployment plays no recording")
    loop = VirtualLoop()
    return run_virtual(_look(deployment, VirtualClock(timeline.start_ns, loop)), loop=loop)


async def _look(deployment: Deployment, clock: Clock) -> Wave:
    needs = union_of([frozenset({Need.BOOK_TOP}), *(each.component.needs for each in deployment.enabled_filters)])
    exchanges = {each.name: each.component for each in deployment.enabled_exchanges}
    wave = Wave()
    for name, exchange in exchanges.items():
        await exchange.start(ExchangeLink(name, clock, random.Random(name), lambda _: None, lambda *_: None))  # noqa: S311
        wave.rules[name] = dict(await exchange.markets())

    def publish(update: MarketUpdate) -> None:
        for exchange in exchanges.values():
            if isinstance(exchange, PlaysRecordings):
                exchange.play(update)

    (source,) = deployment.enabled_sources
    link = _Link(clock, publish, asyncio.get_running_loop().create_future())
    playing = asyncio.create_task(source.component.run(link))
    batch = await link.arrived
    playing.cancel()
    wave.now_ns = clock.now_ns()
    wave.signals = [signal for signal in batch.signals if isinstance(signal, Signal)]
    for signal in wave.signals:
        if signal.symbol in wave.rules[signal.account]:
            wave.markets[signal.id] = await exchanges[signal.account].market_data(signal.symbol, needs)
    balances = {name: await exchange.balance() for name, exchange in exchanges.items()}
    wave.portfolio = Portfolio(
        wave.now_ns,
        {
            name: Account(name, balance.equity_usd, balance.available_usd, leverage=balance.leverage)
            for name, balance in balances.items()
        },
    )
    for exchange in exchanges.values():
        await exchange.stop()
    return wave


def decide_all(wave: Wave, deployment: Deployment) -> list[SizedPlan | Refused]:
    """Take every signal of the wave through the filters and, if they let it, to a plan; no target ends it early."""
    filters = [each.component for each in deployment.enabled_filters]
    book = Rulebook(
        [each.component for each in deployment.enabled_protections],
        deployment.sizer.component,
        [each.component for each in deployment.enabled_risk],
    )
    answers: list[SizedPlan | Refused] = []
    for signal in wave.signals:
        market = MarketSnapshot(
            signal.symbol,
            signal.account,
            wave.now_ns,
            wave.rules[signal.account].get(signal.symbol),
            wave.markets.get(signal.id, MarketData(signal.symbol)),
            wave.portfolio.accounts[signal.account],
            max_age_ns=deployment.framework.max_quote_age_s * NS,
        )
        verdict = screen(signal, market, filters)
        answers.append(verdict if isinstance(verdict, Refused) else decide(verdict, book, wave.portfolio))
    return answers


def figures() -> list[Figure]:
    """The time for all 57 signals of the wave, and the waves that makes a second."""
    deployment = load_deployment(Path(ROOT / "config.toml"), environ={})
    wave = recorded_wave(deployment)
    plans = sum(isinstance(answer, SizedPlan) for answer in decide_all(wave, deployment))
    seconds = median_s(lambda: decide_all(wave, deployment), runs=51)
    return [
        Figure(
            f"decide a wave of {len(wave.signals)} signals ({plans} planned)",
            f"{seconds * 1000:.2f} ms, {count(1 / seconds)} waves/s",
            f"{seconds / len(wave.signals) * 1e6:.0f} µs a signal",
            f"≤ {BUDGET_S * 1000:.0f} ms",
            seconds <= BUDGET_S,
        )
    ]
