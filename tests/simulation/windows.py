"""When nothing could be done at a venue, or nothing known of it: what a run's ledger and journal say of that."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from framework import Event, Record, SessionStarted
from tests.oracle.bounds import NS_PER_MS, NS_PER_S
from tests.oracle.outages import Window, lasts_ns
from tests.oracle.state import STOP_GONE

Line = dict[str, Any]

LOST, LATE, SWAPPED = frozenset({"frame-lost", "lose-event"}), frozenset({"frame-late", "delay-event"}), "swap-events"
UNTOLD = LOST | LATE | {SWAPPED}
FRAMES = frozenset({"frame-lost", "frame-late"})
DEAF = UNTOLD | {"partition-all", "listen-keys-expire", "streams-silent", "streams-closed"}
READ_EVERY_S = 60
"""The deployment's `reconcile_every_s`: a stop that is gone without a word is missed by the next reading."""

TOLD_IN = frozenset({"ALGO_UPDATE", "order"})
SHOWN_IN = frozenset({"/fapi/v1/openAlgoOrders", "/v5/order/realtime", "/v5/position/list"})
"""The topics that tell of a stop that is gone, and the reads that show it."""

DISTURBED_NS = 20 * NS_PER_S
"""So long after a fault that met a read, nobody knows which of the reads of its kind was heard."""

COMES_UP_S = 60
"""An account that could not be connected is tried again within 30 s, and may take as long."""

READS_CUT = "partition-reads"
CUTS = frozenset({"partition-all", "partition-writes", READS_CUT})

SILENCES_S = {
    "binance": {"rate-limited": 10, "banned": 120, "forbidden": 10},
    "bybit": {"rate-limited": 1, "banned": 600, "forbidden": 600},
}
"""How long a venue wants not to hear of us. Binance's answers to the first two say it: the emulator's defaults; after a
403 the product waits for 10 s. Bybit's do not: a second after 10006, ten minutes after a 403 ("Bybit v5, Rate Limit").
"""


def impossible(lines: Sequence[Line]) -> dict[str, list[Window]]:
    """When nothing could be done at a venue: requests do not get through, or it has asked not to hear of us.

    Or nothing could be known: reads do not get through, and meanwhile, or since the reading before, something kept
    streams from telling.
    """
    windows: dict[str, list[Window]] = {}
    faults = [line for line in lines if line["kind"] == "fault"]
    for line in faults:
        since_ns, told = line["t"], line.get("parameters") or {}
        if (silence_s := SILENCES_S[line["venue"]].get(line["name"])) is not None:
            silence_s = told.get("retry_after_s", silence_s) if line["venue"] == "binance" else silence_s
            until_ns = since_ns + int(silence_s) * NS_PER_S
        elif line["name"] in CUTS:
            until_ns = since_ns + told["for_ms"] * NS_PER_MS
        else:
            continue
        if line["name"] == READS_CUT:
            since_ns = min(_deaf(faults, line["venue"], since_ns, until_ns), default=until_ns)
        if since_ns < until_ns:
            windows.setdefault(line["venue"], []).append((since_ns, until_ns))
    return windows


def _deaf(faults: Sequence[Line], venue: str, since_ns: int, until_ns: int) -> list[int]:
    """From when on reads were missed in a time without them: for each thing that kept streams from telling."""
    return [
        max(line["t"], since_ns)
        for line in faults
        if line["venue"] == venue
        and line["name"] in DEAF
        and line["t"] < until_ns
        and line["t"] + lasts_ns(line) >= since_ns - READ_EVERY_S * NS_PER_S
    ]


def unheard(lines: Sequence[Line], lag_s: int) -> dict[tuple[str, str], list[Window]]:
    """When nobody could know that the venue had taken a stop away: its word of that was lost, or is late.

    Until the word comes, until a read has shown it that no fault met, or until the next reading is due. Where reads are
    late, none of them is sure to show it.
    """
    windows: dict[tuple[str, str], list[Window]] = {}
    asked: Line | None = None
    for number, line in enumerate(lines):
        if line["kind"] == "request":
            asked = line
        elif line["kind"] == "response":
            asked = None
        elif line["kind"] == "stop" and line["status"] in STOP_GONE - {"finished"} and asked is None:
            silent_ns = _silent_ns(lines, number)
            if silent_ns:
                over_ns = line["t"] + silent_ns if lag_s else min(line["t"] + silent_ns, _shown_ns(lines, number))
                windows.setdefault((line["venue"], line["symbol"]), []).append((line["t"], over_ns))
    return windows


def _silent_ns(lines: Sequence[Line], number: int) -> int:
    """How long the venue's word of what the line of this number ended is kept back; 0: it was told at once.

    At most until the next reading is due.
    """
    gone = lines[number]
    for at in itertools.takewhile(lambda at: lines[at]["t"] == gone["t"], range(number + 1, len(lines))):
        line, silent_ns = lines[at], 0
        if line["venue"] != gone["venue"]:
            continue
        if line["kind"] == "stream" and line["topic"] in TOLD_IN:
            silent_ns = _framed_ns(lines, at)
        elif line["kind"] == "fault" and line["name"] in UNTOLD - FRAMES:
            is_of_it = line.get("topic") in TOLD_IN and line.get("symbol") == gone["symbol"]
            silent_ns = _kept_back_ns(lines, at) if is_of_it else 0
        if silent_ns:
            return min(silent_ns, READ_EVERY_S * NS_PER_S)
    return 0


def _framed_ns(lines: Sequence[Line], number: int) -> int:
    """How long the frame of a word, the line of this number, is on its way because of the fault that it met."""
    word = lines[number]
    for at in itertools.takewhile(lambda at: lines[at]["t"] == word["t"], range(number + 1, len(lines))):
        if lines[at]["venue"] == word["venue"] and lines[at]["kind"] in {"stream", "fault"}:
            return _kept_back_ns(lines, at) if lines[at].get("name") in FRAMES else 0
    return 0


def _kept_back_ns(lines: Sequence[Line], number: int) -> int:
    """How long the fault of this line keeps a word back. One that is swapped waits for the next, however late that is.

    What is swapped is told by a line of its own, and its frame may meet another fault.
    """
    fault = lines[number]
    if fault["name"] != SWAPPED:
        return READ_EVERY_S * NS_PER_S if fault["name"] in LOST else lasts_ns(fault)
    for at in range(number + 1, len(lines)):
        line = lines[at]
        is_told = line["kind"] == "stream" and line["venue"] == fault["venue"]
        if is_told and (line["topic"], line["event"]) == (fault["topic"], fault["event"]):
            return int(line["t"]) - int(fault["t"]) + _framed_ns(lines, at)
    return READ_EVERY_S * NS_PER_S


def _shown_ns(lines: Sequence[Line], number: int) -> int:
    """When a read that no fault met was answered: it showed what the line of this number ended."""
    gone, asked = lines[number], {}
    met_ns = {
        path: max((line["t"] for line in lines[:number] if _meets(line, gone["venue"], path)), default=0)
        for path in SHOWN_IN
    }
    for line in lines[number + 1 :]:
        if line["venue"] != gone["venue"]:
            continue
        if line["kind"] == "fault" and line.get("path") in SHOWN_IN:
            met_ns[line["path"]] = line["t"]
        elif line["kind"] == "request" and _shows(line, gone):
            asked[line["id"]] = line["path"]
        if line["kind"] == "response" and (path := asked.get(line["request"])) is not None:
            is_heard = line["t"] - met_ns[path] > DISTURBED_NS
            if is_heard and line["status"] == 200:
                return int(line["t"])
    return int(lines[-1]["t"])


def _shows(request: Line, gone: Line) -> bool:
    """Whether what it reads would have had the stop in it: neither another market alone, nor one order by its id."""
    told = request.get("params") or {}
    return (
        request["path"] in SHOWN_IN
        and told.get("symbol", gone["symbol"]) == gone["symbol"]
        and told.get("orderLinkId", gone.get("client_id")) == gone.get("client_id")
    )


def _meets(line: Line, venue: str, path: str) -> bool:
    return line["kind"] == "fault" and line["venue"] == venue and line.get("path") == path


def absences(records: Sequence[Record], lines: Sequence[Line]) -> dict[str, list[Window]]:
    """When an account was not connected while others were: from the start of the session until it was.

    Only as long as a fault at its venue explains that, and the tries after it.
    """
    faults: dict[str, list[Window]] = {}
    for line in lines:
        if line["kind"] == "fault":
            until_ns = line["t"] + lasts_ns(line) + COMES_UP_S * NS_PER_S
            faults.setdefault(line["venue"], []).append((line["t"], until_ns))
    windows: dict[str, list[Window]] = {}
    since_ns = 0
    for record in records:
        if isinstance(record, SessionStarted):
            since_ns = record.time_ns
        elif isinstance(record, Event) and record.code == "account_up":
            explained = [until_ns for begin, until_ns in faults.get(record.account, ()) if begin < record.time_ns]
            up_ns = min(record.time_ns, max(explained, default=0))
            if up_ns > since_ns:
                windows.setdefault(record.account, []).append((since_ns, up_ns))
    return windows
