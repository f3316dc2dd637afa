"""What ccxt logs, without what must not be read: at DEBUG it writes whole requests, with their keys and signatures."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

HIDDEN = "***"

BEARERS = re.compile(r"""((?:signature|X-BAPI-SIGN|listenKey)['"]?\s*[=:]\s*['"]?)[^&'"\s,}]+""", re.IGNORECASE)
"""What is made anew all the time and lets its reader act for us: a request's signature, a private stream's key."""


class QuietLog(logging.LoggerAdapter[logging.Logger]):
    """Passes on to ccxt's own logger, with ``***`` for each of `secrets` and for signatures. Costs nothing where the
    level is not wanted. Its levels and handlers are those of ``ccxt.base.exchange``.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(logging.getLogger("ccxt.base.exchange"), {})
        every = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        self._secrets = sorted(every, key=len, reverse=True)  # the longest first: one may hold another

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log one line. What can't be put together is logged as it is, without its arguments."""
        if not self.isEnabledFor(level):
            return
        try:
            text = str(msg) % args if args else str(msg)
        except (TypeError, ValueError):
            text = str(msg)
        self.logger.log(level, "%s", self._clean(text), **kwargs)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return BEARERS.sub(rf"\g<1>{HIDDEN}", text)
