"""The contract suite of protections catches each way to break it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import frozen

from framework import Ask, Guard, Holding, MarketSnapshot, Need, NoState, Side, Signal
from framework.testing import ContractBrokenError, check_protection

ONE_PERCENT = Decimal("0.01")


@frozen
class Best:
    """The best price seen."""

    price: Decimal


OnPrice = Callable[[Holding, Any, Decimal, int], Guard]


def make_protection(start: Callable[[Holding], Guard], on_price: OnPrice, state: type = Best) -> Any:
    @frozen
    class Made:
        """Do as told."""

        name: ClassVar[str] = "made"
        state_type: ClassVar[type]

        def start(self, holding: Holding) -> Guard:
            return start(holding)

        def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
            return on_price(holding, state, price, time_ns)

    Made.state_type = state
    return Made()


def caught(component: Any, message: str, *, sides: tuple[Side, ...] = (Side.LONG, Side.SHORT)) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        check_protection(component, sides=sides)


def follow(holding: Holding, best: Decimal) -> Guard:
    """A stop one percent behind the best price, that asks for every better price."""
    sign, tick = holding.side.sign, holding.rules.tick_size
    ask = Ask(above=best + tick) if holding.side is Side.LONG else Ask(below=best - tick)
    return Guard(Best(best), best - sign * best * ONE_PERCENT, ask)


def start(holding: Holding) -> Guard:
    return follow(holding, holding.entry_price)


def ratchet(holding: Holding, state: Best, price: Decimal, time_ns: int) -> Guard:
    better = max(state.price, price) if holding.side is Side.LONG else min(state.price, price)
    return follow(holding, better)


def test_a_protection_that_keeps_the_contract_is_accepted() -> None:
    check_protection(make_protection(start, ratchet))


def test_one_that_closes_after_a_time_is_accepted() -> None:
    def at(holding: Holding, time_ns: int) -> Guard:
        until = holding.opened_ns + 3_600_000_000_000
        return Guard(NoState(), None, Ask(at_ns=until), close="too_long" if time_ns >= until else None)

    check_protection(
        make_protection(lambda h: at(h, h.opened_ns), lambda h, state, price, time_ns: at(h, time_ns), NoState)
    )


def test_a_stop_that_loosens_is_caught() -> None:
    caught(make_protection(start, lambda h, state, price, time_ns: follow(h, price)), "loosens its stop from")


def test_a_stop_that_is_taken_away_is_caught() -> None:
    component = make_protection(start, lambda h, state, price, time_ns: Guard(state, None))

    caught(component, "takes its stop away at")


@pytest.mark.parametrize("side", list(Side))
def test_a_first_stop_on_the_winning_side_is_caught(side: Side) -> None:
    def wrong(holding: Holding) -> Guard:
        return Guard(NoState(), holding.entry_price * (1 + holding.side.sign * ONE_PERCENT))

    caught(make_protection(wrong, lambda h, *_: wrong(h), NoState), "is on the winning side", sides=(side,))


def test_a_level_that_comes_too_late_is_caught() -> None:
    def late(holding: Holding, best: Decimal) -> Guard:
        guard = follow(holding, best)
        ask = Ask(above=best * 2) if holding.side is Side.LONG else Ask(below=best / 2)
        return Guard(guard.state, guard.stop, ask)

    component = make_protection(
        lambda h: late(h, h.entry_price), lambda h, state, price, t: late(h, ratchet(h, state, price, t).state.price)
    )

    caught(component, "asked only when it wanted to be it wants")


def test_a_level_that_is_reached_already_is_caught() -> None:
    def eager(holding: Holding, best: Decimal) -> Guard:
        guard = follow(holding, best)
        ask = Ask(above=best) if holding.side is Side.LONG else Ask(below=best)
        return Guard(guard.state, guard.stop, ask)

    component = make_protection(
        lambda h: eager(h, h.entry_price), lambda h, state, price, t: eager(h, ratchet(h, state, price, t).state.price)
    )

    caught(component, "without end")


def test_a_state_of_another_type_is_caught() -> None:
    caught(make_protection(start, ratchet, NoState), "the state must be a NoState")


def test_a_state_type_that_is_no_attrs_class_is_caught() -> None:
    caught(make_protection(start, ratchet, dict), "`state_type` must be an attrs class")


def test_a_state_that_does_not_survive_the_journal_is_caught() -> None:
    @frozen
    class Vague:
        """Says nothing of its type."""

        price: Any

    def vague(holding: Holding) -> Guard:
        return Guard(Vague(holding.entry_price), None)

    caught(make_protection(vague, lambda h, *_: vague(h), Vague), "its state does not survive the journal")


def test_an_answer_that_is_no_guard_is_caught() -> None:
    nothing: Any = None
    caught(make_protection(lambda h: nothing, ratchet), "the answer must be a Guard, got None")


def test_a_close_without_a_proper_reason_is_caught() -> None:
    def closing(holding: Holding) -> Guard:
        return Guard(NoState(), None, close="Get out")

    caught(make_protection(closing, lambda h, *_: closing(h), NoState), "a reason code must be like")


def test_numbers_that_are_no_json_are_caught() -> None:
    def floating(holding: Holding) -> Guard:
        return Guard(NoState(), None, numbers={"best": 1.5})  # type: ignore[dict-item]

    caught(make_protection(floating, lambda h, *_: floating(h), NoState), "the number `best` must be a Decimal")


def test_a_start_that_differs_each_time_is_caught() -> None:
    prices = iter(range(90, 100))

    caught(
        make_protection(lambda h: Guard(NoState(), Decimal(next(prices))), ratchet, NoState),
        "answers differ for the same facts",
        sides=(Side.LONG,),
    )


# ── what is measured before the entry ───────────────────────────────────────────────────────────────────────


HOURS = frozenset({Need.candles("1h", 2)})


def height(market: MarketSnapshot) -> dict[str, Decimal]:
    return {"range": market.candles("1h", 2)[-1].high / 50}


def make_measuring(needed: Any = HOURS, answer: Callable[[MarketSnapshot], dict[str, Decimal]] = height) -> Any:
    @frozen
    class Made:
        """A stop at a measured distance."""

        name: ClassVar[str] = "made"
        state_type: ClassVar[type] = NoState

        @property
        def needs(self) -> Any:
            return needed

        def measure(self, signal: Signal, market: MarketSnapshot) -> dict[str, Decimal]:
            return answer(market)

        def start(self, holding: Holding) -> Guard:
            return Guard(NoState(), holding.entry_price - holding.side.sign * holding.measured["range"])

        def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
            return self.start(holding)

    return Made()


def test_a_protection_that_measures_gets_its_candles_and_finds_what_it_measured() -> None:
    check_protection(make_measuring())


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (make_measuring(needed=[]), "`needs` must be a frozenset of Need"),
        (make_measuring(needed=frozenset()), "reads what it does not declare in `needs`: 2 candles of 1h"),
        (make_measuring(answer=lambda market: {"range": Decimal(2)}), "but measures without them"),
        (make_measuring(answer=lambda market: {"range": "2"}), "range"),  # type: ignore[dict-item]
    ],
    ids=["needs", "undeclared", "missing data", "no number"],
)
def test_what_it_measures_has_to_follow_from_its_candles(component: Any, message: str) -> None:
    caught(component, message)
