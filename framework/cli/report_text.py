"""Reports as text: how far the signals of a wave got, why some were refused, and what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..journal import Counts, Figures, SignalRow, WaveReport
from .words import arithmetic, pnl, reason, safe, shown, span

_REJECTED_BY = {"sizing": "sizing", "filter": "filters", "risk": "risk", "plan": "plan", "execution": "execution"}
"""The stages in the order in which a report names them, and their words."""


def counts_line(counts: Counts) -> str:
    """``57 received, 57 adapted, 9 attempted, …``: refusals by stage where there are any."""
    parts = [f"{counts.received} received", f"{counts.adapted} adapted"]
    if counts.refused:
        parts.append(f"{counts.refused} unusable")
    parts += [f"{counts.attempted} attempted", f"{counts.opened} opened", f"{counts.protected} protected"]
    stages = [(word, counts.rejected[stage]) for stage, word in _REJECTED_BY.items() if counts.rejected[stage]]
    parts += [f"{count} {'by' if index else 'refused by'} {word}" for index, (word, count) in enumerate(stages)]
    parts.append(f"{counts.not_attempted} not needed")
    if counts.undecided:
        parts.append(f"{counts.undecided} undecided")
    return ", ".join(parts)


def wave_lines(wave: WaveReport, signals: Iterable[SignalRow]) -> Iterator[str]:
    """One wave: its counts, then each refusal with its arithmetic. `signals` may hold those of other waves."""
    yield f"wave {wave.wave_id}: {counts_line(wave)}"
    refused = [row for row in signals if row.wave_id == wave.wave_id and row.outcome in ("rejected", "refused")]
    yield from refusal_lines(refused)


def refusal_lines(rows: Sequence[SignalRow]) -> Iterator[str]:
    """What was refused: first those that were attempted, then by filters, then what was no usable signal."""
    order = [*(stage for stage in _REJECTED_BY if stage != "filter"), "filter", ""]
    for row in sorted(rows, key=lambda row: order.index(row.stage) if row.stage in order else len(order)):
        if row.outcome == "refused":
            who = "without an id" if row.signal_id is None else safe(row.signal_id)
            yield f"  unusable: signal {who} from {safe(row.source)}: {reason(row.code, row.message, {})}"
            continue
        by = row.stage if row.component in ("", "kernel") else f"{row.stage} {row.component}"
        own = (row.account, row.symbol)
        numbers = {name: value for name, value in row.numbers.items() if value not in own}
        why = arithmetic(numbers) or reason(row.code, row.message, {})
        code = f" [{safe(row.code)}]" if row.code else ""
        yield f"  refused by {by}: {shown(row.account)} {row.signal_id} {shown(row.symbol)}: {why}{code}"


def total_line(total: Figures) -> str:
    """What all positions came to."""
    closed = sum(each.count for each in total.exits)
    return (
        f"total: {total.opened} opened, {closed} closed, {total.still_open} still open; "
        f"realised PnL {pnl(total.realized_pnl_usd)} USD after fees of {_usd(total)} USD"
    )


def detail_lines(figures: Figures) -> Iterator[str]:
    """Protection, latencies, exits and errors."""
    coverage = figures.coverage
    if coverage.opened:
        yield (
            f"  protection: {coverage.protected} of {coverage.opened} positions ({shown(coverage.share_percent)} %), "
            f"longest time without a stop {span(coverage.worst_naked_ns)}"
        )
        latencies = figures.latencies
        for name, latency in (
            ("received to decided", latencies.received_to_decided),
            ("decided to request", latencies.decided_to_request),
            ("request to protected", latencies.request_to_protected),
            ("received to protected", latencies.received_to_protected),
        ):
            yield f"  {name}: median {span(latency.p50_ns)}, worst {span(latency.worst_ns)}, of {latency.count}"
    for each in figures.exits:
        yield f"  exits by {safe(each.reason)}: {each.count}, PnL {pnl(each.realized_pnl_usd)} USD"
    if figures.exit_lines:
        slipped, flat = figures.slippage, figures.trigger_to_flat
        if slipped.count:
            median, worst = shown(slipped.p50_percent), shown(slipped.worst_percent)
            yield f"  slippage of {slipped.count} stops: median {median} %, worst {worst} %"
        yield f"  trigger to flat: median {span(flat.p50_ns)}, worst {span(flat.worst_ns)}, of {flat.count}"
    for account, counts in figures.accounts.items():
        yield f"  {account}: {counts_line(counts)}"
    for error in figures.errors:
        where = f"{error.account} " if error.account else ""
        yield f"  {error.count} × {error.kind} {where}{safe(error.what)}: {safe(error.message)}"


def _usd(total: Figures) -> str:
    return f"{total.fees_usd:.4f}"
