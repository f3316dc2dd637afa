"""What the judges say, and what a judge is."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from .ledger import Line
from .state import Episode, Holding, Order, Stop

if TYPE_CHECKING:
    from .asks import Ask
    from .hearing import Asked
    from .scene import Scene

SHOWN = 3


class Violation(NamedTuple):
    """One breach: the line at which it showed, and what it is."""

    seq: int
    t: int
    venue: str
    account: str | None
    symbol: str | None
    what: str


@dataclass(slots=True)
class Verdict:
    """The breaches of one invariant: how many, and the first three."""

    number: int
    name: str
    count: int = 0
    first: list[Violation] = field(default_factory=list)

    def add(self, violation: Violation) -> None:
        """Count a breach."""
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(violation)


class Naked(NamedTuple):
    """An interval in which a position was not covered, and how its time splits.

    `by_stop`: a stop that triggered and did not fill left it so. `taken`: the venue took a stop away by itself.
    """

    start_ns: int
    end_ns: int
    up_ns: int
    down_ns: int
    fault_ns: int
    by_stop: bool
    taken: bool = False


class Judge:
    """One invariant: it is told what the lines say, in their order, and tells what must not be.

    Each method is called after the scene has taken the line in, unless it says otherwise.
    """

    number: ClassVar[int]
    name: ClassVar[str]

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.verdict = Verdict(self.number, self.name)

    def tell(self, venue: str, account: str | None, symbol: str | None, what: str) -> None:
        """Note a breach at the present line."""
        self.verdict.add(Violation(self.scene.seq, self.scene.now_ns, venue, account, symbol, what))

    def tell_of(self, holding: Holding, what: str) -> None:
        """Note a breach in a market."""
        self.tell(holding.venue, holding.account, holding.symbol, what)

    def on_request(self, asked: Asked) -> None:
        """A request arrived."""

    def on_place(self, asked: Asked, ask: Ask) -> None:
        """A request asks for an order; called for each."""

    def on_response(self, asked: Asked, line: Line) -> None:
        """It was answered. All that it led to has been told."""

    def on_order(self, holding: Holding, order: Order, line: Line, *, is_new: bool) -> None:
        """An order was taken in, changed or ended."""

    def on_stop(self, holding: Holding, stop: Stop, line: Line, *, is_new: bool) -> None:
        """A stop was taken in, moved, triggered or ended."""

    def on_fill(self, holding: Holding, order: Order | None, line: Line, before: Decimal) -> None:
        """An order filled. `before` is the position before it; `order` None: no line told of such an order."""

    def on_position(self, holding: Holding, line: Line) -> None:
        """A position was told, and has not been compared yet."""

    def on_naked_begins(self, holding: Holding, episode: Episode) -> None:
        """A position of ours is not covered from now on."""

    def on_naked(self, holding: Holding, episode: Episode, naked: Naked) -> None:
        """An interval without protection has ended; the episode's sums hold it already."""

    def on_flat(self, holding: Holding, episode: Episode) -> None:
        """A position, of whomever, is flat."""

    def finish(self) -> None:
        """The ledger has ended."""
