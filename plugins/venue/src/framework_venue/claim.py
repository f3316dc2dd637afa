"""One account, one instance, on one machine: whoever trades an account holds a name that nobody else can take.

The lock of a state directory keeps two processes from one journal, not from one account: this claim is seen from every
state directory. It is a socket in Linux' abstract namespace ("unix(7)"): it needs no file, and the system lets go of it
when its holder ends, however it ends. Nothing is ever said over it.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from hashlib import sha256

from attrs import define

from framework import ExchangeError

from .settings import is_loopback

WAITING = 128
"""How many may ask who holds a claim before nobody learns it any more."""


class ClaimedError(Exception):
    """Another instance on this machine trades the account. The message says which process it is."""


@define(eq=False)
class Claim:
    """The right to trade one account from this machine."""

    _line: socket.socket | None

    @classmethod
    def made(cls, *what: str) -> Claim:
        """Claim the account that these words name: its venue and its key. Raises `ClaimedError`.

        On other systems than Linux nobody is kept out.
        """
        if sys.platform != "linux":
            return cls(None)
        name = b"\0framework-account-" + sha256("\n".join(what).encode()).hexdigest().encode()  # tells nobody the key
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.bind(name)
            line.listen(WAITING)
        except OSError as error:
            line.close()
            if error.errno != errno.EADDRINUSE:
                return cls(None)  # a system that forbids sockets keeps nobody out, and stops nobody from trading
            raise ClaimedError(_holder(name)) from None
        return cls(line)

    def release(self) -> None:
        """Let go. Twice does no harm."""
        if self._line is not None:
            self._line.close()
            self._line = None


def claimed(account: str, venue: str, base_url: str | None, key: str) -> Claim:
    """The claim on the account of an API key. Raises `ExchangeError` if another instance on this machine has it.

    A key belongs to one account of its venue, but several emulated venues on one machine may know the same.
    """
    address = base_url if base_url is not None and is_loopback(base_url) else ""
    try:
        return Claim.made(venue, address, key)
    except ClaimedError as error:
        text = f"is traded by {error} on this machine; stop that one, or use another account"
        raise ExchangeError(account, text, code="account_in_use", for_good=True) from None


def _holder(name: bytes) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(name)
            told = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return "another process"
        return f"process {struct.unpack('3i', told)[0]}"
