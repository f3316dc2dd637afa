"""Probes stand in for the kernel: what a source or an exchange says can be looked at afterwards."""

from __future__ import annotations

import asyncio

from framework import BadSignal, Batch, QuoteUpdate, StreamLost
from framework.testing import (
    ACCOUNT,
    NOW_NS,
    SYMBOL,
    ExchangeProbe,
    SourceProbe,
    StillClock,
    make_quote,
    make_signal,
)


def test_a_still_clock_shows_the_builders_instant_until_it_is_set() -> None:
    clock = StillClock()
    assert (clock.now_ns(), clock.now_ns()) == (NOW_NS, NOW_NS)

    clock.time_ns += 5

    assert clock.now_ns() == NOW_NS + 5


def test_a_source_probe_keeps_signals_in_the_order_of_their_batches() -> None:
    probe, good, bad = SourceProbe(), make_signal(), BadSignal("test", "no_json", "is no JSON", NOW_NS, "{")

    asyncio.run(probe.submit(Batch((bad,))))
    asyncio.run(probe.submit(Batch((good,), complete=True)))

    assert probe.signals == (bad, good)
    assert [batch.complete for batch in probe.batches] == [False, True]


def test_a_source_probe_keeps_recorded_market_data() -> None:
    probe, update = SourceProbe(), QuoteUpdate(ACCOUNT, SYMBOL, make_quote())

    probe.publish(update)

    assert probe.updates == [update]
    assert probe.clock.now_ns() == NOW_NS


def test_an_exchange_probe_keeps_events_and_quotes() -> None:
    probe = ExchangeProbe()
    link = probe.link("main")

    link.emit(StreamLost("closed by the venue"))
    link.quote(SYMBOL, make_quote())

    assert link.account == "main"
    assert link.clock.now_ns() == NOW_NS
    assert probe.events == [StreamLost("closed by the venue")]
    assert probe.quotes == [(SYMBOL, make_quote())]


def test_an_exchanges_randomness_is_the_same_in_every_test() -> None:
    assert ExchangeProbe().link().random.random() == ExchangeProbe().link().random.random()


def test_a_source_probe_comes_to_an_instant_at_once_and_never_goes_back() -> None:
    probe = SourceProbe()

    asyncio.run(probe.until(NOW_NS + 5))
    assert probe.clock.now_ns() == NOW_NS + 5

    asyncio.run(probe.until(NOW_NS))
    assert probe.clock.now_ns() == NOW_NS + 5


def test_a_source_probe_leaves_a_clock_that_is_not_still_as_it_is() -> None:
    class Running:
        def now_ns(self) -> int:
            return 7

    probe = SourceProbe(Running())

    asyncio.run(probe.until(100))

    assert probe.clock.now_ns() == 7
