"""What a desk remembers: each closed position once, no market given away too early, and not everything for ever."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from framework import Side
from framework.core.happenings import CloseWanted, Filled, StopAnswered
from framework.core.position import State
from framework.engine.desk import DAY_NS, KEPT_SETTLED, Desk
from framework.testing import SYMBOL
from tests.core.strategies import D, Life, close_fill, entry_fill, gone, policy, protected, resting

POLICY = policy()


def desk() -> Desk:
    nobody: Any = None
    return Desk("paper", 1, nobody, POLICY)


def closed(desk: Desk) -> Life:
    """A position that was closed for 99 after it was opened at 100, with a stop that is being removed."""
    life = protected(POLICY)
    desk.keep(life.it)
    for happening in (CloseWanted("operator"), None, "flat"):
        if isinstance(happening, CloseWanted):
            life.happens(happening)
        elif happening is None:
            life.happens(Filled(close_fill(life.it)))
        else:
            life.read(None, resting(life.ids[0], "94"))
        desk.keep(life.it)
    assert life.is_now(State.CLOSED)
    return life


def test_a_position_that_takes_more_steps_after_its_end_is_counted_once() -> None:
    books = desk()
    life = closed(books)

    life.happens(StopAnswered(life.ids[0], gone(life.ids[0]), cancelling=True))
    books.keep(life.it)

    assert [one.realized_pnl_usd for one in books.as_account(life.now_ns).closed] == [D("-1.02")]


def test_a_position_that_turns_out_to_be_open_again_was_not_closed() -> None:
    books = desk()
    life = closed(books)

    life.happens(Filled(entry_fill(life.it, "0.5", number=9)))
    books.keep(life.it)

    assert books.as_account(life.now_ns).closed == ()
    assert books.holder_of(SYMBOL) == life.it


def test_what_was_closed_days_ago_is_forgotten() -> None:
    books = desk()
    old = closed(books)
    other = closed(desk())
    moved = evolve(other.it, id="another", closed_ns=(other.it.closed_ns or 0) + 3 * DAY_NS)

    books.keep(moved)

    assert list(books.closed) == ["another"] != [old.it.id]


def test_a_market_is_taken_until_the_last_stop_of_its_position_is_gone() -> None:
    books = desk()
    life = closed(books)
    assert (books.holder_of(SYMBOL), books.is_taken(SYMBOL)) == (None, True)

    life.happens(StopAnswered(life.ids[0], gone(life.ids[0]), cancelling=True))
    books.keep(life.it)

    assert not books.is_taken(SYMBOL)
    assert books.unsettled() == []


def test_positions_that_are_over_do_not_pile_up() -> None:
    books = desk()
    life = closed(desk())
    life.happens(StopAnswered(life.ids[0], gone(life.ids[0]), cancelling=True))

    for number in range(KEPT_SETTLED + 50):
        books.keep(evolve(life.it, id=f"position-{number}"))

    assert len(books.positions) == KEPT_SETTLED
    assert f"position-{KEPT_SETTLED + 49}" in books.positions


def test_the_newest_of_what_is_over_is_kept_so_that_a_stream_may_repeat_itself() -> None:
    books = desk()
    life = closed(books)
    life.happens(StopAnswered(life.ids[0], gone(life.ids[0]), cancelling=True))
    books.keep(life.it)

    assert life.it.id in books.positions
    assert life.it.side is Side.LONG
