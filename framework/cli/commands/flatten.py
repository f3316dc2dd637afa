"""``framework flatten``."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from ...app import EndUnwrittenError, SessionEnd, Survey, flatten_accounts, survey_accounts
from ...config import load_accounts
from ...core.reconcile import FOREIGN, Unread
from ...errors import ExchangeError
from ...journal import Control, FlattenWish
from ..flattening import Asked, NotObeyedError, holder_of, wait_for
from ..options import account_option, config_option, live_option, state_option
from ..run_lines import line_of
from ..run_show import say
from ..state import state_directory
from ..words import safe, shown


@click.command("flatten")
@config_option
@state_option
@account_option
@live_option
@click.option("--all", "strangers", is_flag=True, help="Close positions that are not ours, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be closed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--within", type=click.FloatRange(min=1), default=60, show_default=True, metavar="SECONDS", help="Give up after."
)
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    state: Path | None,
    account: Sequence[str],
    live: Sequence[str],
    strangers: bool,
    dry_run: bool,
    yes: bool,
    within: float,
) -> None:
    """Close every position of ours, and open no more: the deployment is halted until `framework resume`.

    A session that runs is asked to do it, and needs nothing else. Where none runs, the accounts are connected to here,
    with the plugins of the exchanges alone, and --live ACCOUNT is needed as for `run`. Closing orders are reduce-only;
    stops leave once two readings show that nothing is open. The exit status is 1 when something stays open.
    """
    directory = state_directory(config, state)
    if dry_run:
        for each in survey_accounts(load_accounts(config, environ=os.environ, state=state), account):
            _print_plan(each, strangers=strangers)
        return
    if not yes:
        whose = "every position" if strangers else "every position of ours"
        click.confirm(f"close {whose} on {', '.join(account) or 'all accounts'} at the market?", abort=True)
    control = Control(directory)
    control.halt("flatten", time.time_ns())
    holder = holder_of(directory)
    if holder is None:
        context.exit(_by_ourselves(config, state, account, live, strangers, within))
    say(f"asking {holder} to close everything")
    wishes = [FlattenWish(time.time_ns(), name, strangers) for name in account or ("",)]
    try:
        ends = [wait_for(Asked(directory, control, wish, within)) for wish in wishes]
    except NotObeyedError as refused:
        if refused.died:
            context.exit(_by_ourselves(config, state, account, live, strangers, within))
        raise
    for line in (line for end in ends for line in end.lines):
        say(line)
    context.exit(0 if all(end.flat for end in ends) else 1)


def _by_ourselves(
    config: Path, state: Path | None, account: Sequence[str], live: Sequence[str], strangers: bool, within: float
) -> int:
    """No session runs: connect here, close, and say what is done."""
    deployment = load_accounts(config, environ=os.environ, state=state)

    def tell(record: object) -> None:
        line = line_of(record)  # type: ignore[arg-type]
        if line is not None:
            say(line)

    try:
        end = flatten_accounts(
            deployment, live=live, accounts=account, strangers=strangers, within_s=within, on_record=tell
        )
    except EndUnwrittenError as error:
        _tell_open(error.end)
        raise
    _tell_open(end)
    if end.failed:
        click.echo(f"error: {safe(end.reason)}", err=True)
        return 1
    say("flat: nothing of ours is open" if end.reason == "flat" else safe(end.reason))
    return 0 if end.reason != "interrupted" else 1


def _tell_open(end: SessionEnd) -> None:
    for each in end.open_positions:
        say(f"STILL OPEN: {each.account} {safe(each.symbol)} {each.side} {shown(each.quantity)}")


def _print_plan(each: Survey, *, strangers: bool) -> None:
    if isinstance(each.seen, Unread):
        raise ExchangeError(each.seen.account, each.seen.message.removeprefix(f"{each.seen.account}: "))
    foreign = {finding.symbol for finding in each.findings if finding.case == FOREIGN}
    if not each.seen.positions:
        click.echo(f"{each.seen.account}: nothing is open")
    for symbol, held in sorted(each.seen.positions.items()):
        not_ours = symbol in foreign
        does = "would stay, it is not ours" if not_ours and not strangers else "would be closed at the market"
        side = "long" if held.quantity > 0 else "short"
        click.echo(f"{each.seen.account} {safe(symbol)} {side} {shown(abs(held.quantity))}: {does}")
