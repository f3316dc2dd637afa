"""On which line of a TOML file each key stands.

A parser gives values without their places, so this walks the text once more. It is used on text that has been
parsed without error, and therefore follows the grammar without checking it.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import tomli

KeyPath = tuple[str | int, ...]
"""The way to a value: keys of tables and 0-based positions in arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")' r"|'''.*?'{3,5}(?!')" r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'",
    re.DOTALL,
)
_SIMPLE = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """The 1-based line of every table, key and array element of `text`, which is valid TOML."""
    return _Walk(text).document()


class _Walk:
    """One pass over a document. Methods start at `at` and leave it behind what they read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._newlines = [index for index, character in enumerate(text) if character == "\n"]
        self._lengths: dict[KeyPath, int] = {}  # of arrays of tables

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip()
        while self.at < len(self.text):
            if self._sees("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self.lines

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        keys = self._key()
        self.at += brackets
        table: KeyPath = ()
        for key in keys[:-1]:
            table = self._newest((*table, key))
            self.lines.setdefault(table, line)
        table = (*table, keys[-1])
        if brackets == 2:
            self.lines.setdefault(table, line)
            self._lengths[table] = self._lengths.get(table, 0) + 1
            table = self._newest(table)
        self.lines[table] = line
        return table

    def _newest(self, table: KeyPath) -> KeyPath:
        """Headers below an array of tables speak of its newest element."""
        return (*table, self._lengths[table] - 1) if table in self._lengths else table

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        for key in self._key():
            table = (*table, key)
            self.lines.setdefault(table, line)
        self.at += 1  # the equals sign
        self._skip()
        self._value(table)

    def _key(self) -> tuple[str, ...]:
        """A dotted key with the blanks around it."""
        parts: list[str] = []
        while True:
            self._skip()
            quoted = self._take(_QUOTED)
            parts.append(next(iter(tomli.loads(f"{quoted} = 0"))) if quoted else self._take(_BARE_KEY))
            self._skip()
            if not self._sees("."):
                return tuple(parts)
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        if self._sees("["):
            self._items("]", path)
        elif self._sees("{"):
            self._items("}", path)
        elif not self._take(_QUOTED):
            self._take(_SIMPLE)

    def _items(self, end: str, path: KeyPath) -> None:
        """The elements of an array or the pairs of an inline table."""
        position = 0
        self.at += 1
        self._skip()
        while not self._sees(end):
            if end == "}":
                self._pair(path)
            else:
                self.lines[(*path, position)] = self._line()
                self._value((*path, position))
            position += 1
            self._skip()
            if self._sees(","):
                self.at += 1
                self._skip()
        self.at += 1

    def _sees(self, character: str) -> bool:
        return self.text.startswith(character, self.at)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def _skip(self) -> None:
        """Blanks, newlines and comments."""
        self._take(_BLANK)

    def _line(self) -> int:
        return bisect_left(self._newlines, self.at) + 1
