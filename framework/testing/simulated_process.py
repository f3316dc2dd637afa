"""The product as a process in a simulation: it is started, goes on for a while, and ends in order or is killed.

The session, the engine and the journal are the real ones, the journal on a real file. What a kill leaves behind is
what had been committed, and nothing that had not. Everything else of the process is gone with it: no task, no
`finally` and no handler of it acts on the outside any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from attrs import define, evolve, field, frozen

from ..components import Clock, Exchange, SignalSource, SourceLink
from ..config import Configured, Deployment, load_deployment
from ..core.feed import Batch, Timeline
from ..core.records import Record, SessionMode
from ..engine.ending import SessionEnd
from ..engine.session import Session
from ..errors import FrameworkError
from ..journal import Journal, WriterKind, journal_path, prepare_journal
from ..journal.lock import WriterLock
from ..journal.store import Store
from .simulated_loop import KilledError, Outside, SimulatedLoop

BEFORE_WRITE, AFTER_WRITE = "write", "written"
"""The points at the journal at which a process may be killed: before a commit, and after it."""


class Fate(Protocol):
    """Knows where the process dies."""

    def reached(self, point: str) -> bool:
        """The process is at a point where it could be killed. True: it is killed there."""


class Immortal:
    """Nothing kills this process."""

    def reached(self, point: str) -> bool:
        """False: it goes on."""
        return False


@frozen
class SimulatedEnd:
    """How a life ended. `end`: what the session said; None: it was killed, or `error` says why it could not run."""

    killed: bool
    end: SessionEnd | None
    error: str = ""


@define
class SimulatedSource:
    """A live source whose sender does not give up: a batch is sent until it was acknowledged, also to the next life.

    `batches`: what to send, by the instant (ns UTC) at the sender's clock, `sender`; each is made when it is sent.
    """

    name: ClassVar[str] = "simulated"

    batches: Mapping[int, Callable[[], Batch]]
    sender: Clock
    acknowledged: set[int] = field(factory=set, init=False)

    @property
    def is_done(self) -> bool:
        """Whether everything was acknowledged."""
        return self.acknowledged >= self.batches.keys()

    def timeline(self) -> Timeline | None:
        """None: a live source."""
        return None

    async def run(self, link: SourceLink) -> None:
        """Send what is due, and wait for what is not."""
        for at_ns in sorted(self.batches):
            if at_ns in self.acknowledged:
                continue
            await asyncio.sleep(max(0, at_ns - self.sender.now_ns()) / 1e9)
            await link.submit(self.batches[at_ns]())
            self.acknowledged.add(at_ns)
        await asyncio.get_running_loop().create_future()


@define
class Product:
    """A deployment of the product that is loaded once, for any number of simulated lives.

    `variants` are its configurations by name, read from text; `scratch` is a directory of its own.
    """

    variants: Mapping[str, str]
    environ: Mapping[str, str]
    scratch: Path
    _loaded: dict[str, Deployment] = field(factory=dict, init=False)
    _template: dict[str, bytes] = field(factory=dict, init=False)

    def deployment(self, variant: str) -> Deployment:
        """One of the configurations. Raises `ConfigError` for what is wrong with it."""
        if variant not in self._loaded:
            path = self.scratch / f"{variant}.toml"
            path.write_text(self.variants[variant], encoding="utf-8")
            self._loaded[variant] = load_deployment(path, environ=self.environ)
        return self._loaded[variant]

    def exchanges(self, variant: str) -> Mapping[str, Exchange]:
        """The components of its accounts as configured. Make copies: a life needs some of its own."""
        return {each.name: each.component for each in self.deployment(variant).enabled_exchanges}

    def prepare(self, directory: Path) -> None:
        """Put an empty journal there. Making its schema once and copying it is cheaper than making it each time."""
        if not self._template:
            with TemporaryDirectory(dir=self.scratch) as name:
                Store(journal_path(Path(name))).prepare()
                self._template.update({path.name: path.read_bytes() for path in Path(name).iterdir()})
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in self._template.items():
            (directory / name).write_bytes(content)


@define
class SimulatedProcess:
    """One life of a deployment. `exchanges` are its accounts' components, made for this life alone.

    The journal is at `directory`; it is opened if it is there. `clock` is what the product believes the time to be.
    `on_born` is told the loop before anything runs on it. `on_commit` is told the records of each commit at the moment
    at which they are durable, with the hash of the chain that they end.
    """

    deployment: Deployment
    directory: Path
    exchanges: Mapping[str, Exchange]
    source: SignalSource
    clock: Clock
    outside: Outside
    seed: str
    fate: Fate = field(factory=Immortal)
    on_born: Callable[[SimulatedLoop], None] = lambda loop: None
    on_commit: Callable[[Sequence[Record], bytes], None] = lambda records, digest: None
    _session: Session | None = field(default=None, init=False)
    _opened: list[_KillableStore] = field(factory=list, init=False)

    def finish(self) -> None:
        """End in order now, as with SIGTERM; before its session was made, it goes on."""
        if self._session is not None:
            self._session.stopped.set()

    def abandon(self) -> None:
        """Leave the files of the journal as they are: this is a fork, and they are another process's."""
        for store in self._opened:
            store.is_abandoned = True

    def live(self, until_ns: int) -> SimulatedEnd:
        """Run until the outside's time is `until_ns`, then end in order; or be killed before that."""
        loop = SimulatedLoop(self.outside, random.Random(self.seed))  # noqa: S311 - chance in a simulation
        self.on_born(loop)
        opened = self._opened
        try:
            return SimulatedEnd(killed=False, end=loop.run_until_complete(self._main(until_ns)))
        except KilledError:
            return SimulatedEnd(killed=True, end=None)
        except FrameworkError as error:
            return SimulatedEnd(killed=False, end=None, error=f"{type(error).__name__}: {error}")
        finally:
            for store in opened:
                store.is_dead = True
            loop.bury()
            for store in opened:
                store.let_go()

    async def _main(self, until_ns: int) -> SessionEnd:
        path = journal_path(self.directory)
        prepared = prepare_journal(path, SessionMode.LIVE, recorded=False, now_ns=self.clock.now_ns)
        journal = self._open(path)
        session = self._session = Session(
            self._deployment(),
            self.clock,
            journal,
            False,
            lambda record: None,
            SessionMode.LIVE,
            entries_stopped=prepared.entries_stopped,
            seed=self.seed,
        )
        left_s = (until_ns - self.outside.now_ns()) / 1_000_000_000
        asyncio.get_running_loop().call_later(max(0, left_s), session.stopped.set)
        return await session.run(lambda: None)

    def _deployment(self) -> Deployment:
        accounts = tuple(
            evolve(each, component=self.exchanges.get(each.name, each.component)) for each in self.deployment.exchanges
        )
        configured: Configured[SignalSource] = Configured(self.source.name, True, self.source, "")
        return evolve(self.deployment, state=self.directory, exchanges=accounts, sources=(configured,))

    def _open(self, path: Path) -> Journal:
        """As `Journal.open` does, with a store that can be killed."""
        lock = WriterLock.acquire(path)
        try:
            store = _KillableStore(path, self.fate, lock, self.on_commit)
            self._opened.append(store)
            store.prepare({each.name: each.use for each in self.deployment.enabled_exchanges})
            return Journal(path, store, lock, WriterKind.INLINE)
        except BaseException:
            lock.release()
            raise


_LEFT: list[_KillableStore] = []


class _KillableStore(Store):
    """The real store, which may die before a commit or after it."""

    def __init__(
        self, path: Path, fate: Fate, lock: WriterLock, on_commit: Callable[[Sequence[Record], bytes], None]
    ) -> None:
        super().__init__(path)
        self._on_commit = on_commit
        self._fate = fate
        self._lock = lock
        self._open = False
        self.is_dead = False
        self.is_abandoned = False

    def connect(self) -> None:
        super().connect()
        self._open = True

    def write(self, records: Sequence[Record]) -> None:
        if self.is_dead or self._fate.reached(BEFORE_WRITE):
            raise KilledError
        super().write(records)
        if records:
            self._on_commit(records, self._last_hash)
        if self._fate.reached(AFTER_WRITE):
            raise KilledError

    def close(self) -> None:
        super().close()
        self._open = False

    def let_go(self) -> None:
        """What the operating system does when the process is gone: its files and locks are closed."""
        if self.is_abandoned:
            _LEFT.append(self)  # closing it would take the other process's log away
        elif self._open:
            self.close()
            with contextlib.suppress(OSError):
                self._lock.release()
