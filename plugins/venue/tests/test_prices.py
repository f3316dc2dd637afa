"""Quotes from news in parts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Quote
from framework_venue.prices import PriceBoard


class Told(list[tuple[str, Quote]]):
    """The quotes that a board emitted."""

    def __init__(self) -> None:
        self.board = PriceBoard(lambda symbol, quote: self.append((symbol, quote)))

    def whole(self, time_ns: int = 1, symbol: str = "BTCUSDT") -> None:
        self.board.update(symbol, time_ns, bid="99", ask="101", last="100", mark="100.5")

    @property
    def prices(self) -> list[tuple[str, ...]]:
        return [(str(q.bid), str(q.ask), str(q.last), str(q.mark)) for _, q in self]


def test_a_quote_is_told_once_all_four_prices_are_known() -> None:
    told = Told()
    told.board.update("BTCUSDT", 1, bid="99", ask="101")
    told.board.update("BTCUSDT", 2, last=Decimal(100))
    assert told == []
    told.board.update("BTCUSDT", 3, mark="100.5")
    assert told == [("BTCUSDT", Quote(Decimal(99), Decimal(101), Decimal(100), Decimal("100.5"), 3))]


def test_news_that_change_nothing_are_not_told() -> None:
    told = Told()
    told.whole(1)
    told.board.update("BTCUSDT", 2, bid="99", mark=Decimal("100.5"))
    told.board.update("BTCUSDT", 3, bid="99.0")
    assert len(told) == 1


def test_news_of_one_price_change_that_price_alone() -> None:
    told = Told()
    told.whole(1)
    told.board.update("BTCUSDT", 2, bid="98")
    assert told.prices[-1] == ("98", "101", "100", "100.5")


STRANGE = ["0", "-1", "NaN", "sNaN", "Infinity", "", "abc", "1e400", "1e-400", Decimal("NaN"), Decimal("sNaN")]


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_no_price_is_ignored(strange: Any) -> None:
    told = Told()
    told.whole(1)
    told.board.update("BTCUSDT", 2, bid=strange, ask="102")
    assert told.prices[-1] == ("99", "102", "100", "100.5")


def test_older_news_do_not_replace_newer_of_the_same_price() -> None:
    told = Told()
    told.whole(5)
    told.board.update("BTCUSDT", 4, bid="98")
    told.board.update("BTCUSDT", 5, ask="102")
    assert told.prices[1:] == [("99", "102", "100", "100.5")]


def test_older_news_of_another_price_count_and_the_quote_keeps_the_newest_time() -> None:
    told = Told()
    told.board.update("BTCUSDT", 5, bid="99", ask="101")
    told.board.update("BTCUSDT", 3, last="100", mark="100.5")
    assert [quote.time_ns for _, quote in told] == [5]


def test_repeated_news_are_as_good_as_new_ones_against_older() -> None:
    told = Told()
    told.whole(1)
    told.board.update("BTCUSDT", 9, bid="99")
    told.board.update("BTCUSDT", 5, bid="98")
    assert len(told) == 1


def test_after_a_loss_nothing_old_is_mixed_with_new() -> None:
    told = Told()
    told.whole(1)
    told.board.stale()
    told.board.update("BTCUSDT", 2, bid="98", ask="99", last="98.5")
    assert len(told) == 1
    told.board.update("BTCUSDT", 3, mark="98.6")
    assert told.prices[-1] == ("98", "99", "98.5", "98.6")


def test_a_symbol_that_is_no_longer_kept_is_forgotten_and_its_late_news_are_ignored() -> None:
    told = Told()
    told.whole(1)
    told.board.keep(["ETHUSDT"])
    told.whole(2)
    assert len(told) == 1
    told.board.keep(["BTCUSDT"])
    told.board.update("BTCUSDT", 3, bid="98")
    assert len(told) == 1


def test_what_is_kept_stays_known() -> None:
    told = Told()
    told.whole(1)
    told.board.keep(["BTCUSDT", "ETHUSDT"])
    told.board.update("BTCUSDT", 2, bid="98")
    assert len(told) == 2


def test_what_is_forgotten_has_to_come_anew_and_is_no_longer_watched() -> None:
    told = Told()
    told.whole(1)
    told.board.forget(["BTCUSDT"])
    told.board.update("BTCUSDT", 2, bid="98")
    assert len(told) == 1
    told.board.keep(["BTCUSDT", "ETHUSDT"])
    told.board.forget(["BTCUSDT"])
    told.whole(3)
    assert len(told) == 1


def test_symbols_do_not_touch_each_other() -> None:
    told = Told()
    told.whole(1, "BTCUSDT")
    told.board.update("ETHUSDT", 2, bid="1", ask="2", last="1")
    assert [symbol for symbol, _ in told] == ["BTCUSDT"]


def test_after_a_clock_was_set_news_count_however_old_they_seem() -> None:
    told = Told()
    told.whole(1_000)
    told.clear()

    told.board.redate()
    told.board.update("BTCUSDT", 10, last="98")
    told.board.update("BTCUSDT", 9, last="97")

    assert [(str(quote.last), quote.time_ns) for _, quote in told] == [("98", 10)]


PRICES = st.one_of(st.none(), st.sampled_from(["1", "2", "2.50", "0", "-3", "NaN", "x"]))
NEWS = st.tuples(st.integers(0, 9), st.fixed_dictionaries(dict.fromkeys(("bid", "ask", "last", "mark"), PRICES)))


@settings(deadline=None, max_examples=100)
@given(st.lists(NEWS, max_size=15))
def test_every_quote_is_sane_and_made_of_the_newest_news(news: list[tuple[int, dict[str, str | None]]]) -> None:
    told = Told()
    newest: dict[str, tuple[int, Decimal]] = {}
    for time_ns, fields in news:
        before = dict(newest)
        for name, text in fields.items():
            if text in ("1", "2", "2.50") and time_ns >= newest.get(name, (-1, None))[0]:
                newest[name] = (time_ns, Decimal(text))
        told.clear()
        told.board.update("BTCUSDT", time_ns, **fields)
        changed = {n: p for n, (_, p) in newest.items()} != {n: p for n, (_, p) in before.items()}
        if len(newest) == 4 and changed:
            quote = told[0][1]
            assert quote.is_sane
            assert (quote.bid, quote.ask, quote.last, quote.mark) == tuple(
                newest[name][1] for name in ("bid", "ask", "last", "mark")
            )
        else:
            assert told == []
