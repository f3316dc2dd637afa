"""ccxt's exchanges are built once, and copied for each life that a simulation begins.

ccxt's constructor reads its description of a venue, makes a thousand aliases and, for some, a second exchange beside
the first: five to ten milliseconds, and a life of a simulation takes about as much in all. What a constructor leaves
behind depends on nothing but the class and its configuration, so a copy of that stands in for the second construction.
The description itself, most of it all, is read and never written: copies share it.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen

MODULE = "ccxt.async_support.base.exchange"
OWN = "session"
"""What is each instance's own."""

MADE = "made"
"""In place of the instance itself, in what is kept of it."""

SHARED = ("api", "exceptions", "features", "has", "httpExceptions")
"""What ccxt reads and never writes."""


@frozen
class _Built:
    """What a constructor left: the values of the instance, and by alias the names of methods that its class has.

    `shared`: of these values those that are not copied, by name.
    """

    values: bytes
    aliases: Mapping[str, str]
    shared: Mapping[str, object]


@define(eq=False)
class Prebuilt:
    """Remembers what constructors left behind, by the class below the one that is made for each life."""

    _built: dict[tuple[type, str], _Built] = field(factory=dict, init=False)

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """Within, exchanges are copied if one like it was built before. Only where ccxt is loaded by now."""
        exchange = getattr(sys.modules.get(MODULE), "Exchange", None)
        if exchange is None:
            yield
            return
        construct = exchange.__init__

        def build(made: Any, config: Mapping[str, Any] | None = None) -> None:
            self._build(made, dict(config or {}), construct)

        exchange.__init__ = build
        try:
            yield
        finally:
            exchange.__init__ = construct

    def _build(self, made: Any, config: dict[str, Any], construct: Any) -> None:
        cls = type(made)
        if OWN not in config:  # one that another makes for itself
            construct(made, config)
            return
        key = (cls.__mro__[1], repr({name: value for name, value in config.items() if name != OWN}))
        if (built := self._built.get(key)) is None:
            before = set(vars(cls))
            construct(made, config)
            self._built[key] = _taken(made, set(vars(cls)) - before)
            return
        vars(made).update(_Copier(io.BytesIO(built.values), made, built.shared).load())
        vars(made)[OWN] = config[OWN]
        for alias, name in built.aliases.items():
            setattr(cls, alias, vars(cls)[name])


def _taken(made: Any, added: set[str]) -> _Built:
    """Aliases of methods that were inherited go to the class that has them, once for all."""
    cls = type(made)
    own = {value: name for name, value in vars(cls).items() if name not in added and callable(value)}
    aliases = {}
    for alias in sorted(added):
        value = vars(cls)[alias]
        if value in own:
            aliases[alias] = own[value]
        else:
            setattr(cls.__mro__[1], alias, value)
    shared = {name: vars(made)[name] for name in SHARED}
    kept = io.BytesIO()
    _Keeper(kept, made, shared).dump({name: value for name, value in vars(made).items() if name != OWN})
    return _Built(kept.getvalue(), aliases, shared)


class _Keeper(pickle.Pickler):
    """Keeps values, some of which are methods of the instance: of it, and of what is shared, only the name is kept."""

    def __init__(self, file: io.BytesIO, made: Any, shared: Mapping[str, object]) -> None:
        super().__init__(file)
        self._names = {id(made): MADE, **{id(value): name for name, value in shared.items()}}

    def persistent_id(self, value: Any) -> str | None:
        return self._names.get(id(value))


class _Copier(pickle.Unpickler):
    """Copies what was kept, for another instance."""

    def __init__(self, file: io.BytesIO, made: Any, shared: Mapping[str, object]) -> None:
        super().__init__(file)
        self._values = {MADE: made, **shared}

    def persistent_load(self, name: Any) -> Any:
        return self._values[name]
