"""Draws the life of a position from its table, as the Mermaid diagram of docs/architecture.md.

    python tools/draw_lifecycle.py           prints the diagram
    python tools/draw_lifecycle.py --write   puts it into docs/architecture.md, between its two markers

Happenings that lead from one state to the same other one share an arrow. That a state may also stay what it is goes
without saying: such arrows are left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from framework.core.lifecycle import TABLE
from framework.core.position import State

BEGIN = "<!-- lifecycle:begin -->"
END = "<!-- lifecycle:end -->"
DOCUMENT = Path(__file__).parent.parent / "docs" / "architecture.md"


def arrows() -> dict[tuple[State, State], list[str]]:
    """The happenings that may lead from one state to another one, in the table's order."""
    found: dict[tuple[State, State], list[str]] = {}
    for (state, happening), row in TABLE.items():
        for target in row.to:
            if target is not state:
                found.setdefault((state, target), []).append(happening.__name__)
    return found


def diagram() -> str:
    """The whole block: a fenced Mermaid state diagram. States appear in the order of `State`."""
    order = list(State)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {order[0].value}"]
    pairs = sorted(arrows().items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1])))
    for (state, target), happenings in pairs:
        lines.append(f"    {state.value} --> {target.value}: {', '.join(happenings)}")
    lines += [f"    {state.value} --> [*]" for state in order if state.is_final]
    return "\n".join([*lines, "```"])


def with_diagram(text: str) -> str:
    """`text` with the diagram between its markers. Raises `ValueError` if it lacks them."""
    block = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not block.search(text):
        raise ValueError(f"the document has no {BEGIN} … {END}")
    return block.sub(lambda _: f"{BEGIN}\n{diagram()}\n{END}", text)


def main(arguments: list[str]) -> None:
    """Print the diagram, or write it into the document."""
    if arguments == ["--write"]:
        DOCUMENT.write_text(with_diagram(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(diagram() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
