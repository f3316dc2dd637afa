"""Processes that begin with the product's modules in their memory already: a copy (fork) of one that has imported them.

Half of what a life of the product costs is importing. A life from here is a process like any other, with its own pid,
pipes and environment; what it skips is the import. So lives that are ended while they start come from a new
interpreter.

``python -m tests.kills.nursery DESCRIPTOR`` is the process that is copied: it takes requests from the socket with that
number, each a JSON object with three descriptors (output, errors, control), and writes two lines to the control of
each: the pid, and in the end the exit status, negative for a signal.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from attrs import define, field

MODULES = (
    "framework.app",
    "framework.cli.commands.run",
    "framework.cli.run_end",
    "framework.cli.run_lines",
    "framework_binance.exchange",
    "framework_bybit.exchange",
    "rich.console",
    "tests.kills.wire",
)
EXCHANGES = ("binanceusdm", "bybit")
LARGEST_REQUEST = 1 << 18


@define(eq=False)
class Born:
    """A process of the nursery, as `asyncio.subprocess.Process` shows one."""

    pid: int
    stdout: asyncio.StreamReader | None
    stderr: asyncio.StreamReader | None
    _handle: int
    _ended: asyncio.Task[int] = field(init=False)
    returncode: int | None = field(default=None, init=False)

    def send_signal(self, number: int) -> None:
        """Send it a signal. Its number may be somebody else's by now; the handle never is."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    async def wait(self) -> int:
        """Its exit status, when it has ended."""
        return await asyncio.shield(self._ended)

    def watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wait for its status from now on."""
        self._ended = asyncio.get_running_loop().create_task(self._end(reader, writer))

    async def _end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        status = self.returncode = int(await reader.readline())
        os.close(self._handle)
        writer.close()
        return status


@define(eq=False)
class Nursery:
    """The way to the process that is copied."""

    line: socket.socket

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Nursery]:
        """Begin that process; it ends with the context."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-m", __name__, str(theirs.fileno())]
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        running = subprocess.Popen(words, env=environ, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        try:
            yield cls(ours)
        finally:
            ours.close()
            running.wait()

    async def born(self, words: Sequence[str], place: str, environ: Mapping[str, str]) -> Born:
        """Begin ``framework`` with these words, in a directory and an environment."""
        loop = asyncio.get_running_loop()
        out, err, (control, theirs) = os.pipe(), os.pipe(), socket.socketpair()
        request = {"words": list(words), "place": place, "environ": dict(environ)}
        try:
            await loop.run_in_executor(None, self._ask, request, [out[1], err[1], theirs.fileno()])
        finally:
            os.close(out[1])
            os.close(err[1])
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=control)
        pid = int(await reader.readline())
        child = Born(pid, await _read_end(out[0]), await _read_end(err[0]), os.pidfd_open(pid))
        child.watch(reader, writer)
        return child

    def _ask(self, request: Mapping[str, Any], descriptors: list[int]) -> None:
        socket.send_fds(self.line, [json.dumps(request).encode()], descriptors)


async def _read_end(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb", 0))
    return reader


# ── in the process that is copied ───────────────────────────────────────────────────────────────────────────


def serve(line: socket.socket) -> dict[str, Any] | None:
    """Copy this process for each request. Returns in each copy, with the request; None in the process itself, when
    nobody asks any more.
    """
    controls: dict[int, int] = {}
    ring, rung = os.pipe()
    os.set_blocking(rung, False)
    signal.set_wakeup_fd(rung, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    while True:
        ready, _, _ = select.select([line.fileno(), ring], [], [])
        if ring in ready:
            os.read(ring, 4096)
            _bury(controls)
        if line.fileno() not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(line, LARGEST_REQUEST, 3)
        if not data:
            return None
        out, err, control = descriptors
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor, place in ((out, 1), (err, 2)):
                os.dup2(descriptor, place)
            for descriptor in (out, err, control, ring, rung, *controls.values()):
                os.close(descriptor)
            line.close()
            request: dict[str, Any] = json.loads(data)
            return request
        os.close(out)
        os.close(err)
        controls[pid] = control
        os.write(control, f"{pid}\n".encode())


def _bury(controls: dict[int, int]) -> None:
    while controls:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        control = controls.pop(pid)
        with suppress(BrokenPipeError):
            os.write(control, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(control)


def main() -> None:
    """Import the product, and be copied."""
    cli = importlib.import_module("framework.cli")
    for name in MODULES:
        importlib.import_module(name)
    load = importlib.import_module("framework_venue.loading").load
    for name in EXCHANGES:
        load(name)
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["place"])
    sys.path[:0] = request["environ"]["PYTHONPATH"].split(os.pathsep)
    sys.argv = ["-c", *request["words"]]
    cli.main()


if __name__ == "__main__":
    main()
