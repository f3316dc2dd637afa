"""``framework reconcile``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ...app import survey_accounts
from ...config import load_accounts
from ...core.reconcile import Finding, Unread
from ...core.recovery import Action
from ...errors import ExchangeError
from ..options import account_option, config_option, json_option, state_option
from ..output import print_json, print_table
from ..words import safe

HEADINGS = ("account", "symbol", "position", "action", "case", "why")


@click.command("reconcile")
@config_option
@state_option
@account_option
@click.option("--plan", is_flag=True, required=True, help="Only say what would be done: `run` does it by itself.")
@json_option
@click.pass_context
def command(
    context: click.Context, config: Path, state: Path | None, account: tuple[str, ...], plan: bool, as_json_: bool
) -> None:
    """Compare the real accounts with the journal, and say what `run` would adopt, re-arm, cancel or close, and why.

    Changes nothing, and works while `run` runs and after it died. Only the plugins of the exchanges are loaded. What
    has to be seen twice is read twice, which takes some seconds.

    The exit status is 1 when something is not as the journal says, 3 when an account could not be read.
    """
    surveys = survey_accounts(load_accounts(config, environ=os.environ, state=state), account)
    findings = [finding for each in surveys for finding in each.findings]
    if as_json_:
        print_json([_plain(finding) for finding in findings])
    elif findings:
        print_table(HEADINGS, [_row(finding) for finding in findings])
    else:
        click.echo("nothing is open, and no order of ours rests" if surveys else "every account is simulated")
    unread = next((each.seen for each in surveys if isinstance(each.seen, Unread)), None)
    if unread is not None:
        raise ExchangeError(unread.account, unread.message.removeprefix(f"{unread.account}: "))
    context.exit(0 if all(_is_fine(finding) for finding in findings) else 1)


def _is_fine(finding: Finding) -> bool:
    return finding.action in (Action.KEEP, Action.IGNORE)


def _row(finding: Finding) -> tuple[str, ...]:
    cells = (finding.account, finding.symbol, finding.position_id, finding.action.value, finding.case, finding.why)
    return tuple(safe(cell) or "-" for cell in cells)


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "account": finding.account,
        "symbol": finding.symbol,
        "position_id": finding.position_id,
        "order": None if finding.order is None else finding.order.client_id,
        "action": finding.action.value,
        "case": finding.case,
        "why": finding.why,
    }
