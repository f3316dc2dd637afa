"""The sections of a configuration: which tables they consist of, and the components that these tables describe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from cattrs import Converter

from ..errors import Problem
from ..registry import KINDS, AccountKeys, Kind, Registry, Shape, heading
from .deployment import Configured, ConfiguredExchange
from .document import Document, Raw, shown
from .lines import KeyPath
from .mistakes import problems_of
from .overrides import suggestion

S = TypeVar("S")

ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

RESULTS: dict[Kind, str] = {
    Kind.EXCHANGES: "exchanges",
    Kind.SIGNALS: "sources",
    Kind.FILTERS: "filters",
    Kind.SIZING: "sizer",
    Kind.RISK: "risk",
    Kind.EXECUTION: "execution",
    Kind.PROTECTION: "protections",
    Kind.OBSERVERS: "observers",
    Kind.REHEARSAL: "rehearsal",
}
"""Which field of the deployment holds the components of each kind."""

NEEDED: dict[Kind, str] = {
    Kind.EXCHANGES: "there is no account to trade on",
    Kind.PROTECTION: "positions would have no stop",
}
"""The kinds of which at least one has to be enabled, and why."""


class Sections:
    """Structures one document, section by section, and gathers the problems of all of them."""

    def __init__(self, document: Document, converter: Converter, exchanges: Converter | None = None) -> None:
        """`exchanges` takes the place of `converter` for the settings of exchanges."""
        self.problems: list[Problem] = []
        self._document = document
        self._converter = converter
        self._exchanges = converter if exchanges is None else exchanges

    def settings(self, section: str, cls: type[S]) -> S | None:
        """A section of the kernel's own; None if it has problems."""
        return self._structured((section,), self._document.raw.get(section, {}), cls)

    def components(self, registry: Registry, *, names_are_known: bool) -> dict[str, Any] | None:
        """The components of all kinds, by the fields of `Deployment`; None if any has problems.

        Where a plugin could not be loaded, names that nobody offers are no mistake of their own.
        """
        results: dict[str, Any] = {}
        for kind, result in RESULTS.items():
            made = [self._component(kind, path, table, registry, names_are_known) for path, table in self._tables(kind)]
            results[result] = (made[0] if made else None) if KINDS[kind].shape is Shape.ONE else tuple(made)
        return None if self.problems else results

    def of_kind(self, kind: Kind, registry: Registry) -> tuple[Configured[Any], ...]:
        """The components of one kind that is written as an array of tables; what is wrong goes to `problems`."""
        made = [
            self._component(kind, path, table, registry, names_are_known=True) for path, table in self._tables(kind)
        ]
        return tuple(each for each in made if isinstance(each, Configured))

    def exchanges_in_use(self) -> list[str]:
        """The exchanges that the enabled accounts name, each once; what is malformed is left out."""
        tables = self._document.raw.get(Kind.EXCHANGES.value)
        found = tables.values() if isinstance(tables, dict) else ()
        uses = (table.get("use") for table in found if isinstance(table, dict) and table.get("enabled") is not False)
        return list(dict.fromkeys(use for use in uses if isinstance(use, str)))

    def accounts(self, registry: Registry) -> tuple[ConfiguredExchange, ...] | None:
        """The enabled accounts; None if any has problems. Disabled ones are not looked at."""
        enabled = [(path, table) for path, table in self._tables(Kind.EXCHANGES) if table.get("enabled") is not False]
        known = not registry.problems
        made = [self._component(Kind.EXCHANGES, path, table, registry, known) for path, table in enabled]
        found = tuple(each for each in made if isinstance(each, ConfiguredExchange))
        return found if len(found) == len(made) else None

    def _structured(self, path: KeyPath, value: Any, cls: type[S], known: tuple[str, ...] = ()) -> S | None:
        converter = self._exchanges if path[0] == Kind.EXCHANGES.value else self._converter
        try:
            return converter.structure(value, cls)
        except Exception as error:
            self.problems.extend(problems_of(error, self._document, path, known))
            return None

    def _problem(self, path: KeyPath, message: str) -> None:
        self.problems.append(self._document.problem(path, message))

    def _tables(self, kind: Kind) -> Iterator[tuple[KeyPath, Raw]]:
        """The tables of a kind that are tables; what else stands in their place is a problem."""
        section, shape = kind.value, KINDS[kind].shape
        value = self._document.raw.get(section)
        found: list[tuple[KeyPath, Any]]
        match shape, value:
            case (_, None):
                found = []
                if shape is Shape.ONE and not KINDS[kind].optional:
                    self._problem((), f"[{section}] is missing: it says with `use` which {KINDS[kind].noun} is used")
            case (Shape.MANY, list()):
                found = [((section, index), table) for index, table in enumerate(value)]
            case (Shape.NAMED, dict()):
                found = [((section, name), table) for name, table in value.items()]
            case (Shape.ONE, dict()):
                found = [((section,), value)]
            case _:
                self._problem((section,), f"expected {heading(kind)}, got {_table_kind(value)}")
                return
        self._demand(kind, [table for _, table in found])
        for path, table in found:
            if isinstance(table, dict):
                yield path, table
            else:
                self._problem(path, f"expected {heading(kind)}, got {shown(table)}")

    def _demand(self, kind: Kind, tables: list[Any]) -> None:
        enabled = [table for table in tables if not (isinstance(table, dict) and table.get("enabled") is False)]
        if kind in NEEDED and not enabled:
            lack = "every one is disabled" if tables else "none is configured"
            self._problem((kind.value,), f"{NEEDED[kind]}: {lack}; at least one {heading(kind)} has to be enabled")

    def _component(
        self, kind: Kind, path: KeyPath, table: Raw, registry: Registry, names_are_known: bool
    ) -> Configured[Any] | ConfiguredExchange | None:
        spec = KINDS[kind]
        if kind is Kind.EXCHANGES and not ACCOUNT.fullmatch(str(path[1])):
            self._problem(path, "an account's name has up to 32 lower-case letters, digits, hyphens and underscores")
        own = {key: value for key, value in table.items() if key in spec.kernel_keys}
        rest = {key: value for key, value in table.items() if key not in spec.kernel_keys}
        keys = self._structured(path, own, spec.keys)
        use = table.get("use")
        if not isinstance(use, str):
            return None
        if use not in registry.names(kind):
            if names_are_known:
                self._problem((*path, "use"), _unknown(kind, use, registry))
            return None
        component = self._structured(path, rest, registry.component(kind, use), spec.kernel_keys)
        if keys is None or component is None:
            return None
        where = self._document.problem(path, "").where
        if isinstance(keys, AccountKeys):
            name = str(path[1])
            return ConfiguredExchange(name, use, keys.enabled, keys.max_positions_per_wave, component, where, keys.live)
        return Configured(use, getattr(keys, "enabled", True), component, where)


def _table_kind(value: object) -> str:
    return f"{shown(value)} of tables" if isinstance(value, list) else shown(value)


def _unknown(kind: Kind, use: str, registry: Registry) -> str:
    return (
        f"{shown(use)} is an unknown {KINDS[kind].noun}; {suggestion(use, registry.names(kind))} "
        "(is its plugin listed in [plugins] load?)"
    )
