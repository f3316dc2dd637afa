"""What a refusal means that may come from a market's rules having changed: they are read anew before it is believed."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import attrs

from framework import CloseOrder, ExchangeError, MarketRules, Refusal, Unknown, is_multiple

from .answers import Answer, Hint, Kind
from .line import Line

RENEW_WITHIN_S = 1.5
"""How long a refused stop or close waits for the rules: nobody tries it again meanwhile."""


def breaks(rules: MarketRules, price: Decimal | None, quantity: Decimal | None) -> bool:
    """Whether a request can't be taken under these rules: off the tick, off the step, or too small."""
    off_tick = price is not None and not is_multiple(price, rules.tick_size)
    off_step = quantity is not None and (quantity < rules.min_quantity or not is_multiple(quantity, rules.step_size))
    return off_tick or off_step


async def close_refused(line: Line, answer: Answer, order: CloseOrder, before: MarketRules | None) -> Refusal | Unknown:
    """The answer to a close as the kernel hears it. `before`: the rules that were known when it was sent.

    A quantity that those forbid already is refused for good: rounding anew does not help, a person has to.
    """
    if before is not None and breaks(before, None, order.quantity):
        return answer.as_refusal()
    return await refused(line, answer, order.symbol, quantity=order.quantity)


async def refused(
    line: Line, answer: Answer, symbol: str, *, price: Decimal | None = None, quantity: Decimal | None = None
) -> Refusal | Unknown:
    """The answer to a stop as the kernel hears it.

    One that breaks rules which the venue has changed is refused for now, not for good: the kernel is told the new rules
    before it hears so, and rounds anew. Only what keeps all rules is believed to be refused for good.
    """
    told = answer.as_refusal()
    if not isinstance(told, Refusal) or (answer.hint is not Hint.RULES and answer.kind is not Kind.OUR_BUG):
        return told
    try:
        async with asyncio.timeout(RENEW_WITHIN_S):
            await line.renew_rules()
    except (TimeoutError, ExchangeError):
        pass  # then it is judged by the rules that are known
    rules = line.markets.get(symbol)
    if rules is None or not breaks(rules, price, quantity):
        return told
    why = f"{told.message}; the market's tick is {rules.tick_size} now, its step {rules.step_size}"
    return attrs.evolve(told, message=f"{why}, its smallest quantity {rules.min_quantity}", for_good=False)
