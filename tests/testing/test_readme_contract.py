"""The contract suite of READMEs catches what is not described, and examples that can't be used."""

from __future__ import annotations

from typing import ClassVar

import pytest
from attrs import frozen

from framework.registry import KINDS
from framework.testing import ContractBrokenError, check_readme
from framework.testing.contracts.readme import KERNEL_KEYS


@frozen
class Spread:
    """Reject wide spreads."""

    name: ClassVar[str] = "spread"

    max_percent: int = 1


GOOD = """
`spread` has one setting: `max_percent`.

```toml
[[filters]]
use = "spread"
enabled = false
max_percent = 1
```
"""


def test_a_complete_readme_is_accepted() -> None:
    check_readme(GOOD, [Spread])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("`spread`", "it", "`spread` of Spread is not described"),
        ("`max_percent`", "one", "`max_percent` of Spread is not described"),
        ('"spread"', '"other"', "there is no TOML example with use = 'spread'"),
        ("max_percent = 1", "max_pct = 1", "the example of `spread` has 'max_pct', which is no setting"),
    ],
)
def test_an_incomplete_or_wrong_readme_is_caught(old: str, new: str, message: str) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        check_readme(GOOD.replace(old, new), [Spread])


def test_the_kernels_own_keys_are_those_of_the_registry() -> None:
    assert {key for spec in KINDS.values() for key in spec.kernel_keys} == KERNEL_KEYS
