"""Invariant 14."""

from __future__ import annotations

from collections.abc import Sequence

from ..hearing import Asked
from ..paths import is_allowed
from ..scene import Scene
from ..verdicts import Judge


class KnownPaths(Judge):
    """No withdrawal or transfer is ever requested; only the configured hosts are contacted.

    Counts: every `request` line: its ``method`` and ``path`` must be on the list of what the product has a reason to
    ask for. Where hosts were named and a line tells a ``host``, that must be one of them.
    """

    number = 14
    name = "only known paths and hosts: no withdrawal, no transfer"

    def __init__(self, scene: Scene, hosts: Sequence[str] = ()) -> None:
        super().__init__(scene)
        self._hosts = frozenset(hosts)
        self._allowed: dict[tuple[str, str, str], bool] = {}

    def on_request(self, asked: Asked) -> None:
        """Judge where a request went."""
        line = asked.line
        key = (line["venue"], line["method"], line["path"])
        allowed = self._allowed.get(key)
        if allowed is None:
            allowed = self._allowed[key] = is_allowed(*key)
        if not allowed:
            self.tell(line["venue"], line["account"], None, f"{line['method']} {line['path']} is nothing to ask for")
        host = line.get("host")
        if self._hosts and host is not None and host not in self._hosts:
            self.tell(line["venue"], line["account"], None, f"a request went to the host {host}")
