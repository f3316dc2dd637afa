"""Contract suites: call one on a component of your own, and it fails with one line if the contract is broken."""

from __future__ import annotations

from .component import ContractBrokenError
from .execution import check_execution
from .filters import check_filter
from .protection import check_protection
from .readme import check_readme
from .risk import check_risk_rule
from .sizing import check_sizer

__all__ = [
    "ContractBrokenError",
    "check_execution",
    "check_filter",
    "check_protection",
    "check_readme",
    "check_risk_rule",
    "check_sizer",
]
