"""Until when venues want silence, by account: what one process was told, the next one keeps to."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from .state_files import StateFiles

SILENCES = "silences.json"


@frozen
class Silences:
    """The silences that the venues of one state directory's accounts have asked for. Instants in ns UTC."""

    directory: Path

    def until_ns(self, account: str) -> int:
        """Until when nothing may be sent for an account; 0: nothing is known, as from a file that can't be read."""
        return self._all().get(account, 0)

    def asked(self, account: str, until_ns: int, now_ns: int) -> None:
        """Remember a silence; a shorter one ends no longer one. Raises `JournalError` if that can't be done."""
        known = {name: until for name, until in self._all().items() if until > now_ns}
        if until_ns > known.get(account, 0):
            StateFiles(self.directory).write(SILENCES, {**known, account: until_ns})

    def _all(self) -> dict[str, int]:
        try:
            found = StateFiles(self.directory).read(SILENCES)
            return {} if found is None else {str(name): int(until) for name, until in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}
