"""What an exchange is started with: its way to speak to the kernel, and the silence that its venue asked for before."""

from __future__ import annotations

import contextlib
import random
from typing import Any

from attrs import frozen

from ..components import Clock, ExchangeLink
from ..core.events import ExchangeEvent, SilenceAsked
from ..core.market import Quote
from ..errors import JournalError
from ..journal import Silences
from .engine import Engine
from .observers import Gallery


@frozen
class Links:
    """Links of a session. `silences` is None where nothing of other processes counts: in a recorded session.

    `seed`: what chance follows, together with the account's name; None: nothing. `active_ns`: see `ExchangeLink`.
    """

    engine: Engine
    clock: Clock
    gallery: Gallery
    silences: Silences | None
    seed: str | None
    active_ns: int = 0

    def of(self, account: str) -> ExchangeLink:
        """A link for the next start of an account."""
        return ExchangeLink(
            account=account,
            clock=self.clock,
            random=random.Random(None if self.seed is None else f"{self.seed}{account}"),  # noqa: S311 - for jitter
            emit=lambda event: self._told(account, event),
            quote=self._quotes_of(account),
            silent_until_ns=0 if self.silences is None else self.silences.until_ns(account),
            active_ns=0 if self.silences is None else self.active_ns,
        )

    def _quotes_of(self, account: str) -> Any:
        """Where the prices of an account go: past observers only if any of them wants prices."""

        def shown(symbol: str, quote: Quote) -> None:
            self.engine.quote(account, symbol, quote)
            self.gallery.ticked(account, symbol, quote)

        return shown if self.gallery.sees_market else lambda symbol, quote: self.engine.quote(account, symbol, quote)

    def _told(self, account: str, event: ExchangeEvent) -> None:
        _remember(self.silences, account, event, self.clock)
        self.engine.exchange_event(account, event)


def link_to_look(account: str, clock: Clock, silences: Silences | None) -> ExchangeLink:
    """A link for an account that is only looked at: of what is told nothing matters but silences."""
    return ExchangeLink(
        account=account,
        clock=clock,
        random=random.Random(account),  # noqa: S311
        emit=lambda event: _remember(silences, account, event, clock),
        quote=lambda symbol, quote: None,
        reads_only=True,
        silent_until_ns=0 if silences is None else silences.until_ns(account),
    )


def _remember(silences: Silences | None, account: str, event: ExchangeEvent, clock: Clock) -> None:
    """At once: whoever starts next has to keep to it, even if this process ends now."""
    if silences is not None and isinstance(event, SilenceAsked):
        with contextlib.suppress(JournalError):  # the journal raises the alarm of a disk that is full
            silences.asked(account, event.until_ns, clock.now_ns())
