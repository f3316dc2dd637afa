"""What can be seen to be wrong with a run without an oracle: the journal against the venue, and how it ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from framework import Event, FillRecorded, SignalReceived, SignalRefused

from .run import Outcome

OUR_BUGS = frozenset({"protocol_error", "venue_task_failed", "observer_failed"})
"""Events by which the product says that it has met a bug of its own."""

Market = tuple[str, str]


def compare(outcome: Outcome) -> list[str]:
    """What is wrong, a line each."""
    return [
        *outcome.problems,
        *_bugs(outcome),
        *_ends(outcome),
        *_lost_signals(outcome),
        *_fills(outcome),
        *_repeated(outcome),
        *_naked(outcome),
    ]


def _bugs(outcome: Outcome) -> Iterator[str]:
    for record in outcome.records:
        if isinstance(record, Event) and record.code in OUR_BUGS:
            yield f"the product met a bug of its own: {record.code}: {record.message}"


def _ends(outcome: Outcome) -> Iterator[str]:
    for life in outcome.lives:
        if life.end.end is not None and "the engine stopped" in life.end.end.reason:
            yield f"a session ended: {life.end.end.reason}"


def _lost_signals(outcome: Outcome) -> Iterator[str]:
    """Every signal is taken in or refused: its sender goes on until it is acknowledged, and nothing of that is lost.

    What is wanted twice at one instant is one signal: it has one id. Not judged where the last life was no session in
    the end: it may never have been asked.
    """
    if outcome.lives[-1].end.end is None:
        return
    wanted = {(item.venue, item.own["symbol"], item.at_ms) for item in outcome.schedule.of("signal")}
    sent: Counter[tuple[str | None, str | None]] = Counter((venue, symbol) for venue, symbol, _ in wanted)
    taken: set[tuple[str | None, str | None, str | None]] = set()
    for record in outcome.records:
        if isinstance(record, SignalReceived):
            taken.add((record.signal.account, record.signal.symbol, record.signal.id))
        elif isinstance(record, SignalRefused):
            taken.add((record.bad.account, record.bad.symbol, record.bad.id))
    for (account, symbol), times in (sent - Counter((account, symbol) for account, symbol, _ in taken)).items():
        yield f"{account} {symbol}: {times} signals were acknowledged, and the journal knows nothing of them"


def _fills(outcome: Outcome) -> Iterator[str]:
    """Journal fills = venue fills, in every market that nobody else traded in.

    Not judged where a clock was off: executions are asked for since the instant of the decision, by our clock.
    """
    if not outcome.schedule.keeps_time:
        return
    journal: dict[Market, Counter[tuple[str, Decimal]]] = defaultdict(Counter)
    venue: dict[Market, Counter[tuple[str, Decimal]]] = defaultdict(Counter)
    for record in outcome.records:
        if isinstance(record, FillRecorded):
            fill = record.fill
            journal[record.account, fill.symbol][fill.side.value, fill.price] += _units(fill.quantity)
    for line in outcome.lines:
        if line["kind"] == "fill":
            venue[line["venue"], line["symbol"]][line["side"], Decimal(line["price"])] += _units(Decimal(line["qty"]))
    for market in sorted((journal.keys() | venue.keys()) - outcome.schedule.touched):
        if journal[market] != venue[market]:
            missing, more = venue[market] - journal[market], journal[market] - venue[market]
            where = " ".join(market)
            yield f"{where}: fills that the journal lacks: {dict(missing)}; that the venue lacks: {dict(more)}"


def _units(quantity: Decimal) -> int:
    """A quantity as whole units of its smallest step: counters hold whole numbers."""
    return int(quantity.scaleb(12))


def _repeated(outcome: Outcome) -> Iterator[str]:
    seen: Counter[tuple[str, str]] = Counter()
    for record in outcome.records:
        if isinstance(record, FillRecorded):
            seen[record.account, record.fill.id] += 1
    for (account, identifier), times in seen.items():
        if times > 1:
            yield f"{account}: the execution {identifier} was recorded {times} times"


def _naked(outcome: Outcome) -> Iterator[str]:
    """At the end every position of ours is covered."""
    balance = outcome.balance
    for market, quantity in sorted(balance.held.items()):
        if quantity and not balance.is_covered(market) and market not in outcome.schedule.touched:
            yield f"{' '.join(market)}: {abs(quantity)} are open at the end, and no stop covers them"
