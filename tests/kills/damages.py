"""What can happen to a journal while the product is down."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

from attrs import frozen

from tests.journal import damage

from .house import House

KINDS = ("bit flipped or end cut", "lost", "lost but for its mark", "an old copy", "somebody else's")
FILES = ("", "-wal", "-shm", ".mark")


@frozen
class Mishap:
    """One thing that happens to the journal of a house; what chance decides follows `seed`."""

    kind: str
    seed: int

    def happen(self, house: House, old: Path, strangers: Path) -> None:
        """Let it happen. `old`: a copy of the journal's files from when less was known; `strangers`: of another's."""
        journal = house.journal
        if self.kind == "bit flipped or end cut":
            damage.blow(journal, self.seed).strike(journal)
        elif self.kind == "lost":
            _remove(journal, FILES)
        elif self.kind == "lost but for its mark":
            _remove(journal, FILES[:3])
        elif self.kind == "an old copy":
            _replace(journal, old, with_mark=self.with_mark)
        else:
            _replace(journal, strangers, with_mark=self.with_mark)

    @property
    def with_mark(self) -> bool:
        """Whether a journal that comes in the place of ours brings its own mark, and ours is gone."""
        return self.seed % 2 == 0

    @property
    def must_be_noticed(self) -> bool:
        """Whether there is no way to overlook it: our mark is still there, and tells of what is not."""
        return self.kind == "lost but for its mark" or (self.kind in KINDS[3:] and not self.with_mark)


def mishaps(count: int, seed: int) -> list[Mishap]:
    """So many, each kind in turn; every other one is a blow."""
    chance = Random(f"{seed}/mishaps")
    others = KINDS[1:]
    return [
        Mishap(KINDS[0] if number % 2 == 0 else others[number // 2 % len(others)], chance.randrange(10**6))
        for number in range(count)
    ]


def copied(house: House, directory: Path) -> Path:
    """A copy of the journal's files as they are now, as a kill leaves them."""
    directory.mkdir()
    for suffix in (FILES[0], FILES[1], FILES[3]):
        source = house.journal.with_name(house.journal.name + suffix)
        if source.exists():
            shutil.copyfile(source, directory / source.name)
    return directory


def _remove(journal: Path, suffixes: tuple[str, ...]) -> None:
    for suffix in suffixes:
        journal.with_name(journal.name + suffix).unlink(missing_ok=True)


def _replace(journal: Path, directory: Path, *, with_mark: bool) -> None:
    """Other files in the place of ours; without a mark of their own, ours stays."""
    _remove(journal, FILES if with_mark else FILES[:3])
    for file in directory.iterdir():
        if with_mark or not file.name.endswith(FILES[3]):
            shutil.copyfile(file, journal.with_name(file.name))


__all__ = ["KINDS", "Mishap", "copied", "mishaps"]
