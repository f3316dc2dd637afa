"""Money, price and quantity: `Decimal` with an explicit rounding direction, and one `Percent` type."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

from attrs import field, frozen

ZERO = Decimal(0)
HUNDRED = Decimal(100)
_ONE = Decimal(1)

_EXACT = Context(prec=60)
"""Wide enough that a quotient of two prices is never rounded across a whole number before it is rounded on purpose."""

_quotient, _product = _EXACT.divide, _EXACT.multiply


@frozen(order=True)
class Percent:
    """A share of something in percent: ``Percent(Decimal("6"))`` is six percent, never a factor of six."""

    value: Decimal = field(converter=Decimal)

    def of(self, amount: Decimal) -> Decimal:
        """This share of `amount`, unrounded."""
        return amount * self.value / HUNDRED

    def above(self, amount: Decimal) -> Decimal:
        """`amount` raised by this share, unrounded."""
        return amount + self.of(amount)

    def below(self, amount: Decimal) -> Decimal:
        """`amount` lowered by this share, unrounded."""
        return amount - self.of(amount)

    def __str__(self) -> str:
        return f"{plain(self.value)} %"


def _to_multiple(value: Decimal, unit: Decimal, rounding: str) -> Decimal:
    if unit <= ZERO:
        raise ValueError(f"a step or tick must be positive, got {unit}")
    if not value.is_finite():
        raise ValueError(f"not a finite number: {value}")
    # A whole number times the unit has the unit's exponent: a price prints with as many digits as its tick.
    return _product(_quotient(value, unit).quantize(_ONE, rounding, _EXACT), unit)


def floor_to(value: Decimal, unit: Decimal) -> Decimal:
    """The greatest multiple of `unit` not above `value`, written with the digits of `unit`."""
    return _to_multiple(value, unit, ROUND_FLOOR)


def ceil_to(value: Decimal, unit: Decimal) -> Decimal:
    """The least multiple of `unit` not below `value`, written with the digits of `unit`."""
    return _to_multiple(value, unit, ROUND_CEILING)


def nearest_to(value: Decimal, unit: Decimal) -> Decimal:
    """The multiple of `unit` nearest to `value`; a tie goes away from zero. Written with the digits of `unit`."""
    return _to_multiple(value, unit, ROUND_HALF_UP)


def unit(value: Decimal) -> Decimal:
    """A tick or step without trailing zeros: ``0.0010`` becomes ``0.001``, ``10`` stays ``10``."""
    bare = value.normalize()
    exponent = bare.as_tuple().exponent
    return bare.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else bare


def is_multiple(value: Decimal, unit: Decimal) -> bool:
    """Whether `value` is a whole number of `unit`."""
    return value % unit == ZERO


def plain(value: Decimal) -> str:
    """`value` as text without an exponent; trailing zeros are kept, they tell the tick."""
    text = str(value)  # the same, and in half the time, where it needs no exponent
    return format(value, "f") if "E" in text else text


def trimmed(value: Decimal) -> str:
    """`value` as text without an exponent and without trailing zeros: for arithmetic shown to people."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def leading_digits(value: Decimal, digits: int = 3) -> Decimal:
    """`value` cut (never rounded up) to its first `digits` significant digits.

    Used to show a quantity that is too small to trade: 0.32985… is shown as 0.329.
    """
    if value == ZERO:
        return ZERO
    unit = Decimal(1).scaleb(value.adjusted() - digits + 1)
    cut = (value / unit).to_integral_value(rounding=ROUND_DOWN) * unit
    return cut.quantize(unit) if unit < 1 else cut


def usd_up(value: Decimal) -> Decimal:
    """`value` in USD rounded up to the cent: for what something costs."""
    return value.quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def usd_down(value: Decimal) -> Decimal:
    """`value` in USD rounded down to the cent: for what one may spend."""
    return value.quantize(Decimal("0.01"), rounding=ROUND_FLOOR)


def average(parts: list[tuple[Decimal, Decimal]]) -> Decimal | None:
    """The quantity-weighted average price. One price alone is returned as it is written. None without quantity."""
    if not parts:
        return None
    prices = {price for _, price in parts}
    if len(prices) == 1:
        return parts[0][1]
    total = sum((quantity for quantity, _ in parts), ZERO)
    return sum((quantity * price for quantity, price in parts), ZERO) / total if total else None
