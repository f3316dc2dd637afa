"""How the two venues differ where the engine has to know: refusal codes, stops, client ids, ends of orders.

Codes are those of the venues' own documentation: "Binance USD-M Futures, Error Codes" and "Bybit v5, Error Codes".
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

from attrs import frozen

from framework import OrderStatus, Refusal


class Reason(enum.Enum):
    """Why a request is refused, in words that hold for every venue."""

    UNKNOWN_SYMBOL = enum.auto()
    NO_MARKET = enum.auto()
    BAD_CLIENT_ID = enum.auto()
    DUPLICATE_ID = enum.auto()
    NO_PRICE = enum.auto()
    PRICE_TOO_LOW = enum.auto()
    PRICE_TOO_HIGH = enum.auto()
    PRICE_OFF_TICK = enum.auto()
    ABOVE_BAND = enum.auto()
    BELOW_BAND = enum.auto()
    QUANTITY_NOT_POSITIVE = enum.auto()
    QUANTITY_TOO_SMALL = enum.auto()
    QUANTITY_TOO_LARGE = enum.auto()
    QUANTITY_OFF_STEP = enum.auto()
    NOTIONAL_TOO_SMALL = enum.auto()
    NOTHING_TO_REDUCE = enum.auto()
    MARGIN_SHORT = enum.auto()
    POST_ONLY_CROSSES = enum.auto()
    CROSSED_RISING = enum.auto()
    CROSSED_FALLING = enum.auto()
    ATTACHED_ON_WRONG_SIDE = enum.auto()
    FLAT = enum.auto()
    NOT_MODIFIED = enum.auto()
    UNKNOWN_ORDER = enum.auto()
    NO_ATTACHED_STOPS = enum.auto()
    NO_AMENDING = enum.auto()
    TRIGGERING = enum.auto()
    NEEDS_POSITION = enum.auto()
    CLOSING_STOP_EXISTS = enum.auto()
    TOO_MANY_STOPS = enum.auto()
    TOO_MANY_ORDERS = enum.auto()
    FOK_UNFILLABLE = enum.auto()
    REDUCED_ALREADY = enum.auto()
    BAD_TRAIL = enum.auto()
    BAD_ACTIVATION = enum.auto()
    NOT_LIMIT = enum.auto()
    NOTHING_TO_AMEND = enum.auto()
    HEDGE_MODE = enum.auto()
    MODE_UNCHANGED = enum.auto()
    MODE_WITH_ORDERS = enum.auto()
    MODE_WITH_POSITIONS = enum.auto()
    MARGIN_TYPE_UNCHANGED = enum.auto()
    MARGIN_TYPE_WITH_ORDERS = enum.auto()
    MARGIN_TYPE_WITH_POSITION = enum.auto()
    LEVERAGE_UNCHANGED = enum.auto()
    LEVERAGE_INVALID = enum.auto()
    LEVERAGE_TOO_HIGH = enum.auto()
    LEVERAGE_ISOLATED = enum.auto()


_PASSING = frozenset({Reason.NO_MARKET, Reason.TRIGGERING, Reason.NEEDS_POSITION})
_CROSSED = frozenset({Reason.CROSSED_RISING, Reason.CROSSED_FALLING})


@frozen
class VenueStyle:
    """What sets one venue apart. `unfilled_rest` is the status of a market or IOC order that the depth left short.

    `leverage_no_op_refused`: setting the leverage in force is refused; otherwise it is silently accepted.
    `max_stops` holds for the account (Binance) or for a market (Bybit), see `stops_counted_by_market`.
    """

    name: str
    attaches_stops: bool
    amends_stops: bool
    ids_unique_for_ever: bool
    unfilled_rest: OrderStatus
    refuses_crossing_post_only: bool
    limits_reduce_only_quantity: bool
    leverage_no_op_refused: bool
    max_orders: int
    max_stops: int
    stops_counted_by_market: bool
    client_id_grammar: re.Pattern[str]
    codes: Mapping[Reason, str]

    def refusal(self, reason: Reason, message: str, *, crossed: bool = False) -> Refusal:
        """The refusal in the venue's own code."""
        return Refusal(
            code=self.codes[reason],
            message=message,
            for_good=reason not in _PASSING,
            crossed=crossed or reason in _CROSSED,
        )


BINANCE = VenueStyle(
    name="binance",
    attaches_stops=False,
    amends_stops=False,
    ids_unique_for_ever=False,
    unfilled_rest=OrderStatus.EXPIRED,
    refuses_crossing_post_only=True,
    limits_reduce_only_quantity=True,
    leverage_no_op_refused=False,
    max_orders=200,
    max_stops=200,
    stops_counted_by_market=False,
    client_id_grammar=re.compile(r"[.A-Z:/a-z0-9_-]{1,36}"),
    codes={
        Reason.UNKNOWN_SYMBOL: "-1121",
        Reason.NO_MARKET: "-1112",
        Reason.BAD_CLIENT_ID: "-4015",
        Reason.DUPLICATE_ID: "-4116",
        Reason.NO_PRICE: "-1102",
        Reason.PRICE_TOO_LOW: "-4013",
        Reason.PRICE_TOO_HIGH: "-4002",
        Reason.PRICE_OFF_TICK: "-4014",
        Reason.ABOVE_BAND: "-4016",
        Reason.BELOW_BAND: "-4024",
        Reason.QUANTITY_NOT_POSITIVE: "-4003",
        Reason.QUANTITY_TOO_SMALL: "-4004",
        Reason.QUANTITY_TOO_LARGE: "-4005",
        Reason.QUANTITY_OFF_STEP: "-4023",
        Reason.NOTIONAL_TOO_SMALL: "-4164",
        Reason.NOTHING_TO_REDUCE: "-2022",
        Reason.MARGIN_SHORT: "-2019",
        Reason.POST_ONLY_CROSSES: "-5022",
        Reason.CROSSED_RISING: "-2021",
        Reason.CROSSED_FALLING: "-2021",
        Reason.UNKNOWN_ORDER: "-2011",
        Reason.NO_ATTACHED_STOPS: "-1106",
        Reason.NO_AMENDING: "-5025",
        Reason.TRIGGERING: "-4117",
        Reason.NEEDS_POSITION: "-4509",
        Reason.CLOSING_STOP_EXISTS: "-4130",
        # Unverified: the code for the cap on untriggered conditional orders.
        Reason.TOO_MANY_STOPS: "-4045",
        Reason.TOO_MANY_ORDERS: "-2025",
        Reason.FOK_UNFILLABLE: "-5021",
        Reason.REDUCED_ALREADY: "-4118",
        Reason.BAD_TRAIL: "-2007",
        Reason.BAD_ACTIVATION: "-2021",
        Reason.NOT_LIMIT: "-5025",
        Reason.NOTHING_TO_AMEND: "-5027",
        Reason.HEDGE_MODE: "-4061",
        Reason.MODE_UNCHANGED: "-4059",
        Reason.MODE_WITH_ORDERS: "-4067",
        Reason.MODE_WITH_POSITIONS: "-4068",
        Reason.MARGIN_TYPE_UNCHANGED: "-4046",
        Reason.MARGIN_TYPE_WITH_ORDERS: "-4047",
        Reason.MARGIN_TYPE_WITH_POSITION: "-4048",
        Reason.LEVERAGE_INVALID: "-4028",
        Reason.LEVERAGE_TOO_HIGH: "-2027",
        Reason.LEVERAGE_ISOLATED: "-4161",
    },
)

BYBIT = VenueStyle(
    name="bybit",
    attaches_stops=True,
    amends_stops=True,
    ids_unique_for_ever=True,
    unfilled_rest=OrderStatus.CANCELLED,
    refuses_crossing_post_only=False,
    # Reduce-only orders above the maximum are split by the venue ("Place Order", qty).
    limits_reduce_only_quantity=False,
    leverage_no_op_refused=True,
    max_orders=500,
    max_stops=10,
    stops_counted_by_market=True,
    client_id_grammar=re.compile(r"[A-Za-z0-9_-]{1,36}"),
    codes={
        Reason.UNKNOWN_SYMBOL: "10001",
        Reason.NO_MARKET: "110118",
        Reason.BAD_CLIENT_ID: "10001",
        Reason.DUPLICATE_ID: "110072",
        Reason.NO_PRICE: "10001",
        Reason.PRICE_TOO_LOW: "110003",
        Reason.PRICE_TOO_HIGH: "110003",
        Reason.PRICE_OFF_TICK: "10001",
        Reason.ABOVE_BAND: "30208",
        Reason.BELOW_BAND: "30209",
        Reason.QUANTITY_NOT_POSITIVE: "10001",
        Reason.QUANTITY_TOO_SMALL: "10001",
        Reason.QUANTITY_TOO_LARGE: "10001",
        Reason.QUANTITY_OFF_STEP: "10001",
        Reason.NOTIONAL_TOO_SMALL: "110094",
        Reason.NOTHING_TO_REDUCE: "110017",
        Reason.MARGIN_SHORT: "110007",
        Reason.CROSSED_RISING: "110092",
        Reason.CROSSED_FALLING: "110093",
        Reason.ATTACHED_ON_WRONG_SIDE: "10001",
        Reason.FLAT: "10001",
        Reason.NOT_MODIFIED: "34040",
        Reason.UNKNOWN_ORDER: "110001",
        Reason.TRIGGERING: "110079",
        Reason.NEEDS_POSITION: "110017",
        # Unverified: the code for the cap on conditional orders of a market.
        Reason.TOO_MANY_STOPS: "110021",
        Reason.TOO_MANY_ORDERS: "110020",
        Reason.BAD_TRAIL: "10001",
        Reason.BAD_ACTIVATION: "10001",
        Reason.NOT_LIMIT: "10001",
        Reason.NOTHING_TO_AMEND: "10001",
        Reason.HEDGE_MODE: "10001",
        Reason.MODE_UNCHANGED: "110025",
        Reason.MODE_WITH_ORDERS: "110028",
        Reason.MODE_WITH_POSITIONS: "110024",
        Reason.MARGIN_TYPE_UNCHANGED: "110026",
        Reason.MARGIN_TYPE_WITH_ORDERS: "110024",
        Reason.MARGIN_TYPE_WITH_POSITION: "110024",
        Reason.LEVERAGE_UNCHANGED: "110043",
        Reason.LEVERAGE_INVALID: "110013",
        Reason.LEVERAGE_TOO_HIGH: "110090",
    },
)

STYLES: Mapping[str, VenueStyle] = {style.name: style for style in (BINANCE, BYBIT)}
