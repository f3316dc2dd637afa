"""``framework emulate``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from framework.testing import SignalServer

    from .emulator import Emulator
    from .world import KeyInfo

EXIT_UNREACHABLE = 3


@click.command("emulate")
@click.option("--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="Loopback only.")
@click.option("--control", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="The control port.")
@click.option("--markets", multiple=True, metavar="VENUE=FILE", help="The venue's own answer; may be repeated.")
@click.option("--prices", metavar="FILE|random:SEED", help="A timeline, or a random walk; without it prices stand.")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="Fault rules, TOML.")
@click.option("--ledger", type=click.Path(path_type=Path), metavar="FILE.jsonl", help="Where the ledger is written.")
@click.option("--key", "keys", multiple=True, metavar="KEY:SECRET", help="An API key, its account is KEY.")
@click.option("--no-rate-limits", is_flag=True, help="Count requests, refuse none.")
@click.option("--seed", type=int, default=0, show_default=True, help="For chance in faults and for ids.")
@click.option(
    "--signals", type=click.Path(path_type=Path), metavar="FILE", help="Be a wave server too, with this list."
)
@click.option("--signals-token", default="demo-token", show_default=True, metavar="TOKEN", help="What it lets in.")
@click.option(
    "--signals-times",
    type=click.Choice(["now", "file"]),
    default="now",
    show_default=True,
    help="As if they had just been made, or as the file has them.",
)
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="End by itself.")
@click.option("--config", default="config.toml", metavar="FILE", help="The deployment that lists this plugin.")
def emulate(
    listen: str,
    control: str,
    markets: Sequence[str],
    prices: str | None,
    faults: Path | None,
    ledger: Path | None,
    keys: Sequence[str],
    no_rate_limits: bool,
    seed: int,
    signals: Path | None,
    signals_token: str,
    signals_times: str,
    seconds: float | None,
    config: str,
) -> None:
    """Serve Binance USD-M futures and Bybit v5 on the loopback, without keys and without a network.

    With --signals a wave server listens on a port of its own: it pushes the list to whoever logs in, and repeats it
    to whoever asks.

    Prints one line of JSON with the URLs once it is ready, and ends on SIGINT or SIGTERM.
    """
    # Imported here: listing the command must not load the server.
    from framework import ConfigError

    from .build import DEFAULT_KEY, Plan
    from .emulator import Emulator, paths_of
    from .waves import wave_server

    try:
        address, control_address = _address(listen), _address(control)
        plan = Plan(markets=paths_of(markets), keys=[_key(one) for one in keys] or [DEFAULT_KEY], seed=seed)
        plan.settings.rate_limits = not no_rate_limits
        waves = None if signals is None else wave_server(signals, signals_token, as_now=signals_times == "now")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    emulator = Emulator(plan, ledger)
    try:
        asyncio.run(_serve(emulator, address, control_address, prices, faults, seconds, waves))
    except ConfigError:
        raise  # it is a ValueError too when a market file is damaged, and says more
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        click.echo(f"error: {error.strerror or error}: {error.filename or listen}", err=True)
        raise click.exceptions.Exit(EXIT_UNREACHABLE) from None


async def _serve(
    emulator: Emulator,
    address: tuple[str, int],
    control: tuple[str, int],
    prices: str | None,
    faults: Path | None,
    seconds: float | None,
    waves: SignalServer | None,
) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    if control[0] != address[0]:
        raise ValueError("--listen and --control must name the same host")
    ready = await emulator.start(address[0], address[1], control[1])
    try:
        emulator.quote(prices)
        if faults is not None:
            emulator.world.faults.load(faults)
        told = ready if waves is None else {**ready, "signals": await waves.start(address[0])}
        click.echo(json.dumps(told))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
    finally:
        if waves is not None:
            await waves.stop()
        await emulator.stop()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"expected HOST:PORT, got {text!r}")
    return host.strip("[]"), int(port)


def _key(text: str) -> KeyInfo:
    from .world import KeyInfo

    key, colon, secret = text.partition(":")
    if not (key and colon and secret):
        raise ValueError(f"expected KEY:SECRET, got {text!r}")
    return KeyInfo(key, secret, key)
