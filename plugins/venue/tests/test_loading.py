"""One exchange of ccxt is imported, not all; whoever imports ccxt later gets the whole of it. Each in a new process."""

from __future__ import annotations

import subprocess
import sys


def printed(code: str) -> str:
    """What a new interpreter prints. Warnings are errors there too."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_two_exchanges_are_loaded_without_the_others() -> None:
    code = """
import sys
from framework_venue.loading import load
names = [load(name)().id for name in ("binanceusdm", "bybit")]
print(names, load("bybit") is load("bybit"))
print([name for name in ("ccxt", "ccxt.kraken", "ccxt.async_support.kraken", "ccxt.pro.kraken") if name in sys.modules])
"""
    assert printed(code).splitlines() == ["['binanceusdm', 'bybit'] True", "[]"]


def test_who_imports_ccxt_later_gets_all_of_it_with_the_same_classes() -> None:
    code = """
from framework_venue.loading import load
binance, bybit = load("binanceusdm"), load("bybit")
import ccxt, ccxt.async_support, ccxt.pro
from ccxt.base.errors import NetworkError
print(ccxt.pro.binanceusdm is binance, ccxt.pro.bybit is bybit, ccxt.NetworkError is NetworkError)
print(issubclass(binance, ccxt.async_support.binance), issubclass(bybit, ccxt.async_support.bybit))
print(len(ccxt.exchanges) > 50, load("binanceusdm") is binance)
"""
    assert set(printed(code).split()) == {"True"}


def test_where_ccxt_is_there_already_its_class_is_used() -> None:
    code = """
import ccxt.pro
from framework_venue.loading import load
print(load("binanceusdm") is ccxt.pro.binanceusdm, load("bybit") is ccxt.pro.bybit)
try:
    load("no_such_exchange")
except ImportError as error:
    print(error)
"""
    assert printed(code).splitlines() == ["True True", "No module named 'ccxt.pro.no_such_exchange'"]


def test_if_one_cannot_be_had_alone_it_is_imported_plainly_and_nothing_of_the_attempt_is_left() -> None:
    code = """
import sys
from framework_venue import loading
loading._bases = lambda name: ("no_such_base",)
loading._plainly = lambda name: f"{name} plainly"
print(loading.load("bybit"), [name for name in loading.PACKAGES if name in sys.modules])
"""
    assert printed(code) == "bybit plainly []"
