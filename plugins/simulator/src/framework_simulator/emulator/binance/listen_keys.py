"""Listen keys: one for each account, an hour of life, the same one again on a repeated start.

Source: "Binance USD-M Futures, User Data Streams".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from attrs import define, field

from ..clock import Cancel
from ..world import World
from .errors import VenueError


@define
class ListenKeys:
    """`expired` is told the account and the key when a key's life ends."""

    world: World
    expired: Callable[[str, str], None] = field(default=lambda account, key: None)
    _by_account: dict[str, str] = field(factory=dict, init=False)
    _accounts: dict[str, str] = field(factory=dict, init=False)
    _timers: dict[str, Cancel] = field(factory=dict, init=False)
    _made: int = field(default=0, init=False)

    def start(self, account: str) -> str:
        """The account's key, which lives for another hour from now."""
        key = self._by_account.get(account)
        if key is None:
            self._made += 1
            seed = f"{self.world.seed}:{account}:{self._made}"
            key = hashlib.sha256(seed.encode()).hexdigest()
            self._by_account[account] = key
            self._accounts[key] = account
        self._prolong(account, key)
        return key

    def keep_alive(self, account: str) -> str:
        """The key lives for another hour. Raises -1125 if there is none."""
        key = self._by_account.get(account)
        if key is None:
            raise VenueError(-1125)
        self._prolong(account, key)
        return key

    def close(self, account: str) -> None:
        """The key is valid no more. Raises -1125 if there is none."""
        key = self._by_account.get(account)
        if key is None:
            raise VenueError(-1125)
        self._forget(account, key)

    def expire(self, account: str) -> None:
        """The key's life ends now, if there is one."""
        key = self._by_account.get(account)
        if key is not None:
            self._forget(account, key)
            self.expired(account, key)

    def expire_all(self) -> None:
        """Every key's life ends now."""
        for account in tuple(self._by_account):
            self.expire(account)

    def key_of(self, account: str) -> str | None:
        """The account's key, while it is valid."""
        return self._by_account.get(account)

    def account_of(self, key: str) -> str | None:
        """Whose key it is; None for one that is not, or not any more, valid."""
        return self._accounts.get(key)

    def _prolong(self, account: str, key: str) -> None:
        if key in self._timers:
            self._timers.pop(key)()
        self._timers[key] = self.world.schedule(self.world.settings.listen_key_ns, lambda: self.expire(account))

    def _forget(self, account: str, key: str) -> None:
        del self._by_account[account], self._accounts[key]
        self._timers.pop(key)()
