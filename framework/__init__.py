"""Everything that a plugin author may import, and nothing else. What is not listed here is the kernel's inside.

Names are imported when they are first asked for: a command that only prints its help should not wait for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .components import (
        Capabilities,
        Checkable,
        Checkup,
        Clock,
        Exchange,
        ExchangeLink,
        Execution,
        ExercisesStops,
        Filter,
        Observer,
        PlaysRecordings,
        Protection,
        RiskRule,
        Secret,
        SeesMarket,
        SignalSource,
        Sizer,
        SourceLink,
        TellsState,
        not_negative,
        positive,
    )
    from .core.events import (
        ExchangeEvent,
        FillSeen,
        HealthSeen,
        MarketsSeen,
        OrderSeen,
        PositionSeen,
        SilenceAsked,
        StopSeen,
        StreamLost,
        StreamRestored,
        VenueNotice,
    )
    from .core.execution import EntryPlan, EntryStep, EntryTry
    from .core.feed import (
        BarUpdate,
        Batch,
        CandleUpdate,
        MarketUpdate,
        OpenInterestUpdate,
        QuoteUpdate,
        SourceState,
        Timeline,
    )
    from .core.health import Health
    from .core.market import (
        INTERVALS_S,
        Account,
        Candle,
        ClosedPosition,
        MarketData,
        MarketRules,
        MarketSnapshot,
        Need,
        OpenPosition,
        Portfolio,
        PriceSource,
        Quote,
    )
    from .core.measuring import MeasuresMarket
    from .core.numbers import (
        Percent,
        ceil_to,
        floor_to,
        is_multiple,
        leading_digits,
        nearest_to,
        plain,
        trimmed,
        usd_down,
        usd_up,
    )
    from .core.orders import (
        Balance,
        CloseOrder,
        EntryAnswer,
        EntryOrder,
        Fill,
        OrderReport,
        OrderStatus,
        OrderType,
        Refusal,
        StopAnswer,
        StopOrder,
        StopReport,
        TimeInForce,
        Unknown,
        VenuePosition,
    )
    from .core.plan import SizedPlan, SizingRequest, fit_quantity, smallest_quantity
    from .core.protection import Ask, Guard, Holding, NoState, Target, tighter
    from .core.records import (
        Decision,
        Event,
        FillRecorded,
        Intent,
        Outcome,
        PositionChanged,
        PositionSummary,
        Record,
        SessionEnded,
        SessionMode,
        SessionStarted,
        SignalReceived,
        SignalRefused,
        StopMoved,
        WaveDecided,
        WaveOpened,
    )
    from .core.resting import RestingKind, RestingOrder
    from .core.signal import BadSignal, OrderSide, Side, Signal, SignalSettings
    from .core.verdict import Notice, Number, Passed, Rejection, Size, Verdict
    from .errors import ConfigError, ExchangeError, FrameworkError, MissingDataError, PluginError, Problem
    from .hookspecs import hookimpl
    from .stages import Endpoint, Halting, Rehearsable, Stage

__version__ = "0.1.0"

__all__ = [
    "INTERVALS_S",
    "Account",
    "Ask",
    "BadSignal",
    "Balance",
    "BarUpdate",
    "Batch",
    "Candle",
    "CandleUpdate",
    "Capabilities",
    "Checkable",
    "Checkup",
    "Clock",
    "CloseOrder",
    "ClosedPosition",
    "ConfigError",
    "Decision",
    "Endpoint",
    "EntryAnswer",
    "EntryOrder",
    "EntryPlan",
    "EntryStep",
    "EntryTry",
    "Event",
    "Exchange",
    "ExchangeError",
    "ExchangeEvent",
    "ExchangeLink",
    "Execution",
    "ExercisesStops",
    "Fill",
    "FillRecorded",
    "FillSeen",
    "Filter",
    "FrameworkError",
    "Guard",
    "Halting",
    "Health",
    "HealthSeen",
    "Holding",
    "Intent",
    "MarketData",
    "MarketRules",
    "MarketSnapshot",
    "MarketUpdate",
    "MarketsSeen",
    "MeasuresMarket",
    "MissingDataError",
    "Need",
    "NoState",
    "Notice",
    "Number",
    "Observer",
    "OpenInterestUpdate",
    "OpenPosition",
    "OrderReport",
    "OrderSeen",
    "OrderSide",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "Passed",
    "Percent",
    "PlaysRecordings",
    "PluginError",
    "Portfolio",
    "PositionChanged",
    "PositionSeen",
    "PositionSummary",
    "PriceSource",
    "Problem",
    "Protection",
    "Quote",
    "QuoteUpdate",
    "Record",
    "Refusal",
    "Rehearsable",
    "Rejection",
    "RestingKind",
    "RestingOrder",
    "RiskRule",
    "Secret",
    "SeesMarket",
    "SessionEnded",
    "SessionMode",
    "SessionStarted",
    "Side",
    "Signal",
    "SignalReceived",
    "SignalRefused",
    "SignalSettings",
    "SignalSource",
    "SilenceAsked",
    "Size",
    "SizedPlan",
    "Sizer",
    "SizingRequest",
    "SourceLink",
    "SourceState",
    "Stage",
    "StopAnswer",
    "StopMoved",
    "StopOrder",
    "StopReport",
    "StopSeen",
    "StreamLost",
    "StreamRestored",
    "Target",
    "TellsState",
    "TimeInForce",
    "Timeline",
    "Unknown",
    "VenueNotice",
    "VenuePosition",
    "Verdict",
    "WaveDecided",
    "WaveOpened",
    "__version__",
    "ceil_to",
    "fit_quantity",
    "floor_to",
    "hookimpl",
    "is_multiple",
    "leading_digits",
    "nearest_to",
    "not_negative",
    "plain",
    "positive",
    "smallest_quantity",
    "tighter",
    "trimmed",
    "usd_down",
    "usd_up",
]

# fmt: off
_NAMES_BY_MODULE = {
    ".components": (
        "Capabilities", "Checkable", "Checkup", "Clock", "Exchange", "ExchangeLink", "Execution", "ExercisesStops",
        "Filter", "Observer", "PlaysRecordings", "Protection", "RiskRule", "Secret", "SeesMarket", "SignalSource",
        "Sizer", "SourceLink", "TellsState", "not_negative", "positive",
    ),
    ".core.events": (
        "ExchangeEvent", "FillSeen", "HealthSeen", "MarketsSeen", "OrderSeen", "PositionSeen", "SilenceAsked",
        "StopSeen", "StreamLost", "StreamRestored", "VenueNotice",
    ),
    ".core.execution": ("EntryPlan", "EntryStep", "EntryTry"),
    ".core.feed": (
        "BarUpdate", "Batch", "CandleUpdate", "MarketUpdate", "OpenInterestUpdate", "QuoteUpdate", "SourceState",
        "Timeline",
    ),
    ".core.health": ("Health",),
    ".core.market": (
        "INTERVALS_S", "Account", "Candle", "ClosedPosition", "MarketData", "MarketRules", "MarketSnapshot", "Need",
        "OpenPosition", "Portfolio", "PriceSource", "Quote",
    ),
    ".core.measuring": ("MeasuresMarket",),
    ".core.numbers": (
        "Percent", "ceil_to", "floor_to", "is_multiple", "leading_digits", "nearest_to", "plain", "trimmed",
        "usd_down", "usd_up",
    ),
    ".core.orders": (
        "Balance", "CloseOrder", "EntryAnswer", "EntryOrder", "Fill", "OrderReport", "OrderStatus", "OrderType",
        "Refusal", "StopAnswer", "StopOrder", "StopReport", "TimeInForce", "Unknown", "VenuePosition",
    ),
    ".core.plan": ("SizedPlan", "SizingRequest", "fit_quantity", "smallest_quantity"),
    ".core.protection": ("Ask", "Guard", "Holding", "NoState", "Target", "tighter"),
    ".core.records": (
        "Decision", "Event", "FillRecorded", "Intent", "Outcome", "PositionChanged", "PositionSummary", "Record",
        "SessionEnded", "SessionMode", "SessionStarted", "SignalReceived", "SignalRefused", "StopMoved", "WaveDecided",
        "WaveOpened",
    ),
    ".core.resting": ("RestingKind", "RestingOrder"),
    ".core.signal": ("BadSignal", "OrderSide", "Side", "Signal", "SignalSettings"),
    ".core.verdict": ("Notice", "Number", "Passed", "Rejection", "Size", "Verdict"),
    ".errors": ("ConfigError", "ExchangeError", "FrameworkError", "MissingDataError", "PluginError", "Problem"),
    ".hookspecs": ("hookimpl",),
    ".stages": ("Endpoint", "Halting", "Rehearsable", "Stage"),
}
# fmt: on

_HOMES = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}
"""The module that each name comes from: what the block above says to type checkers."""

if not TYPE_CHECKING:  # a type checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        """Import a name of `__all__` the first time that it is asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
