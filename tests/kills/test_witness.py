"""The witness that judges the kills: it must see what it is there for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from tests.kills.house import built
from tests.kills.story import breaches, judged
from tests.kills.witness import Witness, now_ns

SYMBOL = "BTCUSDT"


def lose_a_signal(witness: Witness) -> None:
    witness.house.sender.acknowledged.append("never-taken-in")


def lose_an_execution(witness: Witness) -> None:
    fill = next(line for line in witness.house.lines if line["kind"] == "fill")
    witness.house.lines.append({**fill, "seq": len(witness.house.lines) + 1, "qty": "7"})


def make_an_execution_up(witness: Witness) -> None:
    witness.house.lines.remove(next(line for line in witness.house.lines if line["kind"] == "fill"))


def lose_what_was_durable(witness: Witness) -> None:
    death = witness.deaths[0]
    assert death.mark is not None
    death.mark = evolve(death.mark, hash=bytes(32))


def print_what_was_not_durable(witness: Witness) -> None:
    witness.house.lives[0].out.insert(1, "2026-01-01 00:00:00.000Z  binance BTCUSDT: opened")


def send_without_an_intent(witness: Witness) -> None:
    params = {"newClientOrderId": "fw-aaaaaaaaaaaaaaaa-e0"}
    line = {"kind": "request", "method": "POST", "path": "/fapi/v1/order", "params": params}
    witness.house.lines.append(line)
    witness.died(witness.house.lives[0], now_ns())


LIES: dict[Callable[[Witness], None], str] = {
    lose_a_signal: "signal never-taken-in was acknowledged, and was taken in 0 times by the journal",
    lose_an_execution: "is not in the journal",
    make_an_execution_up: "that never was",
    lose_what_was_durable: "is not in the journal any more",
    print_what_was_not_durable: "this was printed, and is not in the journal",
    send_without_an_intent: "was sent, and the journal has no intent of it",
}


def test_it_has_nothing_to_say_of_what_is_right_and_notices_everything_that_is_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(tmp_path) as house:
            witness = Witness(house)
            life = await house.up()
            await house.opened(life, SYMBOL)
            life.kill()
            await life.ended()
            witness.died(life, now_ns())
            assert witness.at_the_end() == []
            assert breaches(judged(house, witness.up())) == []

            for lie, what in LIES.items():
                mark = witness.deaths[0].mark
                lines, out, told = [*house.lines], [*life.out], [*house.sender.acknowledged]
                lie(witness)
                found = witness.at_the_end()
                assert [what in one for one in found] == [True], (lie.__name__, found)
                house.lines[:], life.out[:], house.sender.acknowledged[:] = lines, out, told
                witness.problems.clear()
                del witness.deaths[1:]
                witness.deaths[0].mark = mark

    asyncio.run(scenario())
