"""Reads a recording, ``timeline.jsonl``, as a whole before anything of it is played, and finds every mistake.

The first line is the header, the last one the end; in between each line is an instant and a piece of the market or
a message. A line that is no JSON at all is kept: something arrived there that nobody could read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import define, field, frozen

from framework import ConfigError, MarketUpdate, Problem

from .instants import parse_instant
from .json_values import RepeatedKeys, ValueRefusedError, decode, shown
from .recording_lines import KINDS, LineReader, Message

TIMELINE = "timeline.jsonl"
VERSION = 1
COMMON = frozenset({"t", "kind"})


@frozen
class Line:
    """Something that happens at an instant (`t_ns`, UTC) of the recording; `number` is its line in the file."""

    number: int
    t_ns: int
    what: MarketUpdate | Message


@frozen
class Recording:
    """A recording that is fit to be played. Times are nanoseconds UTC."""

    title: str
    start_ns: int
    end_ns: int
    lines: tuple[Line, ...]


def load_recording(directory: Path) -> Recording:
    """The recording in `directory`. Raises `ConfigError` with every mistake, each with its file and line."""
    file = directory / TIMELINE
    if not directory.is_dir():
        raise ConfigError([Problem(str(directory), "there is no such directory; set path to that of a recording")])
    try:
        content = file.read_bytes()
    except OSError as error:
        message = f"can't be read ({error.strerror}); a recording is a directory with a {TIMELINE}"
        raise ConfigError([Problem(str(file), message)]) from None
    loader = _Loader(file)
    for number, text in enumerate(content.split(b"\n"), start=1):
        if text.strip():
            loader.take(number, text)
    return loader.finished()


@define
class _Loader:
    """What has been read so far, and what is wrong with it."""

    file: Path
    problems: list[Problem] = field(factory=list)
    lines: list[Line] = field(factory=list)
    title: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    now_ns: int = 0
    seen: int = 0
    last: int = 0

    def take(self, number: int, text: bytes) -> None:
        self.seen += 1
        self.last = number
        try:
            value = decode(text)
        except ValueRefusedError:
            self._take_unreadable(number, text)
            return
        if not isinstance(value, Mapping) or isinstance(value, RepeatedKeys):
            self._note(number, "a line must be one JSON object that names no key twice")
            return
        line = LineReader(value, self.file.parent)
        self._take_time(line)
        if self.seen == 1:
            self._take_header(line)
        elif self.end_ns is not None:
            line.mistakes.append("nothing may follow the end")
        else:
            self._take_line(number, line)
        for mistake in line.mistakes:
            self._note(number, mistake)

    def finished(self) -> Recording:
        if self.seen == 0:
            self._note(1, 'the file is empty; the first line must have kind "recording"')
        elif self.end_ns is None:
            self._note(self.last, 'the recording breaks off here: its last line must have kind "end"')
        if self.problems or self.start_ns is None or self.end_ns is None:
            raise ConfigError(self.problems)
        return Recording(self.title, self.start_ns, self.end_ns, tuple(self.lines))

    def _take_unreadable(self, number: int, text: bytes) -> None:
        if self.seen == 1:
            self._note(
                number, f'the first line must be JSON of kind "recording", got {shown(text.decode(errors="replace"))}'
            )
        elif self.end_ns is not None:
            self._note(number, "nothing may follow the end")
        else:
            # Where it stands is all that is known of its time.
            self.lines.append(Line(number, self.now_ns, Message(text)))

    def _take_time(self, line: LineReader) -> None:
        value = line.fields.get("t")
        if not isinstance(value, str):
            line.mistakes.append("t is missing" if value is None else f"t must be a text, got {shown(value)}")
            return
        try:
            line.t_ns = parse_instant(value)
        except ValueError as error:
            line.mistakes.append(f"t {error}, got {shown(value)}")
            return
        if line.t_ns < self.now_ns:
            line.mistakes.append(f"t {shown(value)} is before the line above; lines stand in order of time")
            return
        self.now_ns = line.t_ns

    def _take_header(self, line: LineReader) -> None:
        self.start_ns = line.t_ns
        line.expect(frozenset({"version"}), COMMON | {"title"})
        if line.fields.get("kind") != "recording":
            line.mistakes.append(f'the first line must have kind "recording", got {shown(line.fields.get("kind"))}')
        version = line.fields.get("version", VERSION)
        if version != VERSION or isinstance(version, bool):
            line.mistakes.append(f"unknown version {shown(version)}; this plugin reads version {VERSION}")
        self.title = line.text("title")

    def _take_line(self, number: int, line: LineReader) -> None:
        name = line.fields.get("kind")
        if name == "end":
            line.expect(frozenset(), COMMON)
            self.end_ns = line.t_ns
            return
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            known = ", ".join((*KINDS, "end"))
            line.mistakes.append("kind is missing" if name is None else f"unknown kind {shown(name)}; known: {known}")
            return
        line.expect(kind.required, COMMON | kind.optional)
        what = kind.read(line)
        if not line.mistakes:
            self.lines.append(Line(number, line.t_ns, what))

    def _note(self, number: int, message: str) -> None:
        self.problems.append(Problem(f"{self.file}:{number}", message, number))


def messages(recording: Recording) -> Iterator[tuple[Line, Message]]:
    """The lines that hold what a sender sent."""
    for line in recording.lines:
        if isinstance(line.what, Message):
            yield line, line.what
