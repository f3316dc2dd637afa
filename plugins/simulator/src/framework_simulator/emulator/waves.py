"""A wave server beside the emulated venues: the signals of a file, over the wave server's own protocol."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from framework.testing import SignalServer, made_now


def wave_server(path: Path, token: str, *, as_now: bool) -> SignalServer:
    """A server for the list in a file: a message of the wave server, or its ``data`` alone.

    `as_now`: every time is moved by the same whole minutes, so that the newest signal was made just now. Raises
    `ValueError` for a file that can't be read or holds no such list.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        signals = content["data"] if isinstance(content, dict) else content
        if not isinstance(signals, list) or not all(isinstance(each, dict) for each in signals):
            raise TypeError("no list of objects")
        served = made_now(signals, datetime.now(UTC)) if as_now else signals
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} holds no list of signals ({type(error).__name__}: {error})") from None
    return SignalServer(token=token, signals=served, pushes_on_arrival=True)
