"""The command: ``python -m tests.oracle LEDGER.jsonl …``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .bounds import Bounds, options
from .judging import Case, Judgement, judge
from .ledger import UnusableError
from .names import Names
from .plans import read_plans
from .report import as_json, as_text
from .uptime import Uptime

FINE, VIOLATED, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the ledgers, each by itself. Answers the exit status: 0 none, 1 some violation, 2 nothing to judge by."""
    wish = _parser().parse_args(arguments)
    try:
        case = _case(wish)
        judgements = [_judge(path, case) for path in wish.ledgers]
    except UnusableError as error:
        sys.stderr.write(f"error: {error}\n")
        return UNUSABLE
    if wish.json:
        sys.stdout.write(json.dumps(as_json(judgements)) + "\n")
    else:
        for judgement in judgements:
            sys.stdout.write("\n".join(as_text(judgement)) + "\n")
    return VIOLATED if any(judgement.violations for judgement in judgements) else FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.oracle",
        description="Judges runs by the ledgers of the simulated venues. Exit status: 0 no violation, 1 some, "
        "2 a ledger that can't be judged.",
    )
    parser.add_argument("ledgers", nargs="+", type=Path, metavar="LEDGER.jsonl", help="each is judged by itself")
    parser.add_argument("--up", type=Path, metavar="FILE", help="JSON list of [from_ns, to_ns]; without it: always up")
    parser.add_argument("--plans", type=Path, metavar="FILE", help="JSON lines: what was planned for each position")
    parser.add_argument("--ours", default="fw", metavar="PREFIX", help="what client ids of ours begin with (fw)")
    parser.add_argument(
        "--strangers",
        action="append",
        metavar="PREFIX",
        help="what client ids of others begin with; may be repeated (web, stranger)",
    )
    parser.add_argument("--hosts", default="", metavar="HOST,…", help="the only hosts that may be contacted")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    for name, option, default, meaning in options():
        parser.add_argument(option, dest=name, type=int, default=default, metavar="N", help=f"{meaning} ({default})")
    return parser


def _case(wish: argparse.Namespace) -> Case:
    names = Names(wish.ours) if wish.strangers is None else Names(wish.ours, tuple(wish.strangers))
    return Case(
        bounds=Bounds(**{name: getattr(wish, name) for name, _, _, _ in options()}),
        uptime=Uptime() if wish.up is None else Uptime.of_json(_read(wish.up)),
        plans=None if wish.plans is None else read_plans(_read(wish.plans).splitlines(), names),
        names=names,
        hosts=[host for host in wish.hosts.split(",") if host],
    )


def _judge(path: Path, case: Case) -> Judgement:
    try:
        with path.open(encoding="utf-8", errors="replace") as rows:
            return judge(rows, case, str(path))
    except OSError as error:
        raise UnusableError(f"{path}: {error.strerror}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{path} can't be read: {error}") from None
