"""For tests of plugins: facts with sane defaults, contract suites for pure components, probes for those that do I/O."""

from __future__ import annotations

from .builders import (
    ACCOUNT,
    NOW_NS,
    SYMBOL,
    Numeric,
    make_account,
    make_candles,
    make_closed_position,
    make_entry_plan,
    make_holding,
    make_open_position,
    make_plan,
    make_portfolio,
    make_quote,
    make_request,
    make_rules,
    make_signal,
    make_snapshot,
)
from .contracts import (
    ContractBrokenError,
    check_execution,
    check_filter,
    check_protection,
    check_readme,
    check_risk_rule,
    check_sizer,
)
from .probes import ExchangeProbe, SourceProbe, StillClock
from .signal_server import SignalServer, made_now, shifted
from .simulated_loop import KilledError, Outside, SimulatedLoop, StandstillError
from .simulated_process import Fate, Immortal, Product, SimulatedEnd, SimulatedProcess, SimulatedSource
from .walking import walk_candles, walk_protection
from .walking_steps import Walk, WalkExit, WalkTake

__all__ = [
    "ACCOUNT",
    "NOW_NS",
    "SYMBOL",
    "ContractBrokenError",
    "ExchangeProbe",
    "Fate",
    "Immortal",
    "KilledError",
    "Numeric",
    "Outside",
    "Product",
    "SignalServer",
    "SimulatedEnd",
    "SimulatedLoop",
    "SimulatedProcess",
    "SimulatedSource",
    "SourceProbe",
    "StandstillError",
    "StillClock",
    "Walk",
    "WalkExit",
    "WalkTake",
    "check_execution",
    "check_filter",
    "check_protection",
    "check_readme",
    "check_risk_rule",
    "check_sizer",
    "made_now",
    "make_account",
    "make_candles",
    "make_closed_position",
    "make_entry_plan",
    "make_holding",
    "make_open_position",
    "make_plan",
    "make_portfolio",
    "make_quote",
    "make_request",
    "make_rules",
    "make_signal",
    "make_snapshot",
    "shifted",
    "walk_candles",
    "walk_protection",
]
