"""Faults by name: what goes wrong, with which request or event, when and how often. Deterministic from the seed.

A rule names a switch (`fault_switches.SWITCHES`), says what it looks at (venue, account, method, path, params, topic,
event, symbol), how often it fires (`after`, `every`, `count`, `probability`), and has the switch's own parameters.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from framework import ConfigError, Problem

from ..engine.events import Event, StopChanged
from .clock import NS_PER_MS
from .wire import PLAIN, Transport

if TYPE_CHECKING:
    from .fault_switches import Switch
    from .world import World


@frozen
class FaultAnswer:
    """An answer that a fault puts in place of the venue's.

    With `body` the bytes go out as they are; otherwise the wire writes `code` and `message` in the venue's shape
    (`code` None: a plain text body of `message`). `headers` come on top of the usual ones.
    """

    status: int
    code: int | None
    message: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class RequestPlan:
    """What happens to one request.

    `instead`: it is not carried out, this is the answer. `replace`: it is carried out, then this is the answer.
    `transport` goes into the `HttpResponse` (a trading socket obeys it too: drop closes, delay schedules).
    """

    instead: FaultAnswer | None = None
    replace: FaultAnswer | None = None
    transport: Transport = PLAIN

    @property
    def settles(self) -> bool:
        """Whether it decides what answer comes, or that none does."""
        answered = self.instead is not None or self.replace is not None
        return answered or self.transport.drop or self.transport.truncate is not None


NO_FAULT = RequestPlan()


@frozen
class Occasion:
    """What a rule is held against: a request, an event of a stream, or something that happened in the engine."""

    venue: str
    account: str | None
    method: str = ""
    path: str = ""
    params: Mapping[str, object] = field(factory=dict)
    topic: str = ""
    event: str = ""
    symbol: str = ""


@define(eq=False)
class Rule:
    """One rule and how often it was met. Patterns are globs; an empty one fits everything."""

    name: str
    venue: str = ""
    account: str = ""
    method: str = ""
    path: str = ""
    params: Mapping[str, str] = field(factory=dict)
    topic: str = ""
    event: str = ""
    symbol: str = ""
    after: int = 0
    every: int = 1
    count: int | None = None
    probability: float = 1.0
    own: Mapping[str, Any] = field(factory=dict)
    met: int = 0
    fired: int = 0

    def fits(self, occasion: Occasion) -> bool:
        """Whether the rule looks at this occasion."""
        told = (
            (self.venue, occasion.venue),
            (self.account, occasion.account or ""),
            (self.method, occasion.method),
            (self.path, occasion.path),
            (self.topic, occasion.topic),
            (self.event, occasion.event),
            (self.symbol, occasion.symbol),
        )
        if not all(fnmatchcase(value, pattern) for pattern, value in told if pattern):
            return False
        return all(fnmatchcase(str(occasion.params.get(k, "")), pattern) for k, pattern in self.params.items())

    def is_due(self, chance: Callable[[], float]) -> bool:
        """Whether it fires now that it has been met once more."""
        self.met += 1
        past = self.met - self.after
        if past < 1 or (past - 1) % self.every or (self.count is not None and self.fired >= self.count):
            return False
        if self.probability < 1 and chance() >= self.probability:
            return False
        self.fired += 1
        return True


_WHEN = {"after": int, "every": int, "count": int, "probability": float}
_WHERE = ("venue", "account", "method", "path", "topic", "event", "symbol")


@define
class Faults:
    """The rules in force."""

    world: World
    _rules: list[Rule] = field(factory=list, init=False)
    _held: dict[tuple[str, str], list[Callable[[], None]]] = field(factory=dict, init=False)
    _silent: list[tuple[int, str, str]] = field(factory=list, init=False)
    _kept_out: list[tuple[int, str, str]] = field(factory=list, init=False)
    _lag: list[tuple[int, str, int]] = field(factory=list, init=False)

    # ── the rules ───────────────────────────────────────────────────────────────────────────────────────────

    def load(self, path: Path) -> None:
        """Add the ``[[fault]]`` tables of a TOML file. Raises `ConfigError` for a file that can't be used."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            unknown = sorted(set(document) - {"fault"})
            if unknown:
                raise ValueError(f"unknown key {unknown[0]!r}: a fault file has [[fault]] tables only")
            self.add(self.parse(document.get("fault", [])))
        except OSError as error:
            raise ConfigError([Problem(where=str(path), message=f"can't be read: {error.strerror}")]) from None
        except ValueError as error:
            raise ConfigError([Problem(where=str(path), message=str(error))]) from None

    def parse(self, tables: object) -> list[Rule]:
        """Rules from their tables. Raises ValueError that says which rule is wrong, and how."""
        if not isinstance(tables, list):
            raise ValueError("`fault` must be a list of rules")
        return [parse_rule(table, number) for number, table in enumerate(tables, start=1)]

    def add(self, rules: Sequence[Rule]) -> None:
        """Let more rules hold. One with ``at_ms`` fires by itself, so long after this."""
        self._rules.extend(rules)
        for rule in rules:
            at_ms = rule.own.get("at_ms")
            if at_ms is not None:
                due_ns = self.world.now_ns() + int(at_ms) * NS_PER_MS
                self.world.at(due_ns, lambda rule=rule: self._by_itself(rule))  # type: ignore[misc]

    def clear(self) -> None:
        """Let no rule hold. What was held back goes out; lags, silence and closed doors end."""
        self._rules.clear()
        self._silent.clear()
        self._kept_out.clear()
        self._lag.clear()
        for waiting in tuple(self._held.values()):
            for go in waiting:
                go()
        self._held.clear()

    def describe(self) -> list[dict[str, Any]]:
        """The rules and how often they were met and fired."""
        return [
            {
                "name": rule.name,
                **{key: value for key in _WHERE if (value := getattr(rule, key))},
                **({"params": dict(rule.params)} if rule.params else {}),
                **rule.own,
                "met": rule.met,
                "fired": rule.fired,
            }
            for rule in self._rules
        ]

    # ── what is asked ───────────────────────────────────────────────────────────────────────────────────────

    def for_request(
        self, venue: str, account: str | None, method: str, path: str, params: Mapping[str, object]
    ) -> RequestPlan:
        """What goes wrong with a request. Ask once for each, after `World.request_received`, before carrying it out.

        `params` as given to `request_received`.
        """
        if not self._rules:
            return NO_FAULT
        occasion = Occasion(venue, account, method, path, params, symbol=str(params.get("symbol", "")))
        plan = NO_FAULT
        for rule, switch in self._due("request", occasion):
            plan = _both(plan, switch.plan(rule.own, venue))
            if plan.settles:
                break  # one answer to one request: what else would have answered it waits for the next
        for rule, switch in self._due("happening", occasion):
            self._happen(rule, switch, occasion)
        return plan

    def pass_event(self, venue: str, account: str, topic: str, event: str, symbol: str, go: Callable[[], None]) -> None:
        """Let an event out, or not, or twice, or later. Called by `World.deliver` only."""
        waiting = self._held.pop((venue, account), [])
        names = []
        if self._rules:
            occasion = Occasion(venue, account, topic=topic, event=event, symbol=symbol)
            for rule, switch in self._due("event", occasion):
                names.append(rule.name)
                if rule.name == "delay-event":
                    own = {**switch.defaults, **rule.own}
                    self.world.schedule(int(own["delay_ms"]) * NS_PER_MS, go)
        if "swap-events" in names:
            self._held[venue, account] = [go]
        elif not {"lose-event", "delay-event"} & set(names):
            go()
            if "duplicate-event" in names:
                go()
        for earlier in waiting:
            earlier()

    def on_engine_event(self, venue: str, account: str, event: Event) -> None:
        """Something happened in the engine: a stop that was just placed may be one that vanishes."""
        if not self._rules or not isinstance(event, StopChanged):
            return
        stop = event.stop
        if stop.created_ns != stop.updated_ns or stop.status.is_final:
            return
        occasion = Occasion(venue, account, symbol=stop.symbol)
        for rule, switch in self._due("stop", occasion):
            switch.on_stop(self.world, venue, account, stop, rule.own)

    def ask(self, kind: str, venue: str, account: str, symbol: str) -> Mapping[str, Any] | None:
        """The parameters of a rule of an engine switch that fires now (``reject-order``, ``short-child``), or None."""
        for rule, switch in self._due("engine", Occasion(venue, account, symbol=symbol), only=kind):
            return {**switch.defaults, **rule.own}
        return None

    def read_lag_ns(self, venue: str) -> int:
        """What faults add to the lag of queries."""
        now_ns = self.world.now_ns()
        return max((lag for until, where, lag in self._lag if where == venue and now_ns < until), default=0)

    def silences(self, venue: str, path: str) -> bool:
        """Whether a socket opened at `path` says and hears nothing at the moment: open, but dead."""
        return bool(self._silent) and self._holds(self._silent, venue, path)

    def keeps_out(self, venue: str, path: str) -> bool:
        """Whether a socket at `path` can't be opened at the moment."""
        return self._holds(self._kept_out, venue, path)

    # ── what switches use ───────────────────────────────────────────────────────────────────────────────────

    def silence(self, venue: str, path: str, for_ns: int) -> None:
        """Open sockets of a venue whose path fits the glob say nothing for a while."""
        self._silent.append((self.world.now_ns() + for_ns, venue, path))

    def keep_out(self, venue: str, path: str, for_ns: int) -> None:
        """Sockets of a venue whose path fits the glob can't be opened for a while."""
        self._kept_out.append((self.world.now_ns() + for_ns, venue, path))

    def lag_reads(self, venue: str, lag_ns: int, for_ns: int) -> None:
        """What happens within `for_ns` shows to queries `lag_ns` later."""
        self._lag.append((self.world.now_ns() + for_ns, venue, lag_ns))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _due(self, kind: str, occasion: Occasion, *, only: str | None = None) -> Iterator[tuple[Rule, Switch]]:
        from .fault_switches import SWITCHES

        for rule in tuple(self._rules):
            switch = SWITCHES[rule.name]
            if switch.kind != kind or (only is not None and rule.name != only) or "at_ms" in rule.own:
                continue
            fits = rule.fits(occasion) and switch.looks_at(occasion)
            if fits and rule.is_due(self.world.random.random):
                self._tell(rule, occasion)
                yield rule, switch

    def _holds(self, places: list[tuple[int, str, str]], venue: str, path: str) -> bool:
        now_ns = self.world.now_ns()
        return any(now_ns < until and where == venue and fnmatchcase(path, glob) for until, where, glob in places)

    def _by_itself(self, rule: Rule) -> None:
        from .fault_switches import SWITCHES

        if rule in self._rules:
            rule.fired += 1
            occasion = Occasion(rule.venue, rule.account or None, symbol=rule.symbol)
            self._tell(rule, occasion)
            self._happen(rule, SWITCHES[rule.name], occasion)

    def _happen(self, rule: Rule, switch: Switch, occasion: Occasion) -> None:
        own = {**switch.defaults, **rule.own}
        after_ms = int(own.pop("after_ms", 0))
        if after_ms:
            self.world.schedule(after_ms * NS_PER_MS, lambda: switch.happen(self.world, occasion, own))
        else:
            switch.happen(self.world, occasion, own)

    def _tell(self, rule: Rule, occasion: Occasion) -> None:
        fields: dict[str, Any] = {"name": rule.name}
        for key in ("method", "path", "topic", "event", "symbol"):
            if value := getattr(occasion, key):
                fields[key] = value
        if rule.own:
            fields["parameters"] = dict(rule.own)
        self.world.ledger.write(
            self.world.deed_ns(), occasion.account, "fault", fields, venue=occasion.venue or rule.venue
        )


def parse_rule(table: Any, number: int) -> Rule:
    """One rule from its table. Raises ValueError."""
    from .fault_switches import SWITCHES

    where = f"fault {number}"
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        raise ValueError(f"{where}: a rule is a table with a name")
    name = table["name"]
    switch = SWITCHES.get(name)
    if switch is None:
        raise ValueError(f"{where}: there is no fault {name!r}; known: {', '.join(sorted(SWITCHES))}")
    rule = Rule(name)
    own: dict[str, Any] = {}
    for key, value in table.items():
        if key in _WHERE and key not in switch.defaults:
            setattr(rule, key, _of(str, value, f"{where} ({name}): {key}"))
        elif key in _WHEN:
            setattr(rule, key, _of(_WHEN[key], value, f"{where} ({name}): {key}"))
        elif key == "params" and isinstance(value, Mapping):
            rule.params = {str(k): str(v) for k, v in value.items()}
        elif key in switch.defaults or (key == "at_ms" and switch.kind == "happening"):
            own[key] = value
        elif key != "name":
            known = sorted({*_WHERE, *_WHEN, "params", *switch.defaults})
            raise ValueError(f"{where} ({name}): unknown key {key!r}; known: {', '.join(known)}")
    missing = [key for key, value in switch.defaults.items() if value is None and key not in own]
    if missing:
        raise ValueError(f"{where} ({name}): {missing[0]} is missing")
    if "at_ms" in own and not rule.venue:
        raise ValueError(f"{where} ({name}): a rule with at_ms needs a venue")
    if rule.every < 1 or rule.after < 0 or not 0 <= rule.probability <= 1:
        raise ValueError(f"{where} ({name}): every must be 1 or more, after 0 or more, probability within 0 and 1")
    switch.check(own, f"{where} ({name})")
    rule.own = own
    return rule


def _of(kind: type, value: Any, where: str) -> Any:
    fine = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if not fine or isinstance(value, bool):
        raise ValueError(f"{where} must be {'text' if kind is str else 'a number'}, got {value!r}")
    return value


def _both(first: RequestPlan, second: RequestPlan) -> RequestPlan:
    """Two plans for one request, the first of which only delays its answer."""
    delay_ns = first.transport.delay_ns + second.transport.delay_ns
    return evolve(second, transport=evolve(second.transport, delay_ns=delay_ns))
