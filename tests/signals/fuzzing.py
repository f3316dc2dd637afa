"""``python -m tests.signals.fuzzing COUNT [SEED]``: damaged messages for every parser, as many as are asked for.

Each input is a real message with a few things done to it: bytes flipped, cut, doubled, values swapped for odd ones.
It follows from its seed alone. Whatever it is, no parser may raise, and a signal that comes out must stand in it.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from attrs import frozen

from framework import BadSignal, ConfigError, Signal
from framework_signals.alerts import Mapped
from framework_signals.formats import ACCOUNTS, Format, Reader, body_of
from framework_signals.recording_file import TIMELINE, load_recording
from framework_signals.wishes import SIDES, Namer, Rules

NOW_NS = 1_761_950_921_120_000_000
ODD: Sequence[str] = (
    "null", "true", "-1", "0", "1e999", "1e-999", "NaN", "Infinity", "9" * 400, '""', "[]", "{}", '"\\ud800"', "100%",
    '"\\u0000"', "{{ticker}}", "\u00a0", "\u2013", "\u202e", "\U0001f680", "%s%n", "'; DROP TABLE signals;--", "1.2.3",
    "../../etc", "\x00", ",", ";", "=", ":", "\n", "\r\n", '"', "\\", "BTCUSDT", "ETH/USDT", "LONG", "SHORT", "close",
    "buy", "sell", "1,5",
)  # fmt: skip
_ACTIONS = {word.replace("_", "") for word in SIDES}

WAVE = json.dumps({"type": "signals", "timestamp": "2025-11-01T02:48:41", "count": 1, "data": [{
    "id": 510401, "pair_symbol": "HFTUSDT", "recommended_action": "BUY", "score_week": 98.7, "score_month": 90.36,
    "timestamp": "2025-10-31T22:30:00+00:00", "created_at": "2025-10-31T22:48:01+00:00", "trading_pair_id": 1101,
    "exchange_id": 1, "score_week_filter": 60.0, "score_month_filter": 55.0, "max_trades_filter": 4,
    "stop_loss_filter": 6.0, "trailing_activation_filter": 2.0, "trailing_distance_filter": 0.5}]})  # fmt: skip
CORPUS: dict[Format, tuple[str, ...]] = {
    "wave": (WAVE, WAVE.replace("4, ", "null, ")),
    "alert": (
        "BUY BTCUSDT",
        '{"ticker":"BTCUSDT.P","action":"buy","sentiment":"bullish","price":"64000.1","id":7}',
        '{"ticker":"SOLUSDT","action":"sell","signalPrice":1,"takeProfit":{"percent":5},"stopLoss":{"percent":3}}',
        '{"symbol":"BYBI_USDT_SOL","action":"open","side":"long","exchange":"BYBI","time":1761950400}',
        '{"symbol":"ETHUSDT","date":"2025-10-31T22:30:00Z","data":"sell","percentage_sl":2,"token":"x"}',
    ),
    "octobot": (
        "EXCHANGE=binance\nSYMBOL=BTCUSDT\nSIGNAL=BUY\nORDER_TYPE=MARKET\nSTOP_PRICE=-5%\nTOKEN=x",
        "SYMBOL=BTC/USDT;SIGNAL=SELL;PARAM_SIDE=SHORT;LEVERAGE=3",
    ),
    "text": (
        "OPUSDT LONGLeverage: 10.0XEntry Targets:1) 2.475Take-Profit Targets:1) 2.5 2) 2.6Stop Targets:1) 2.3",
        "#BTC/USDT\nBuy 43,500 \u2013 44,000\nTargets: $45,000 - $46,000\nStop loss: 42,000",
        "AVAX/USDT\nEntry: 20-21\nTP1: 22\nTP2: 23\nSL: 18.5",
        "SOLUSDT SHORT\nEntry 150\nTarget 140\nStop: 4%\nTrailing Configuration:\nStop: Breakeven",
    ),
}  # fmt: skip
RECORDING = (
    '{"t":"2025-10-31T22:48:00Z","kind":"recording","version":1,"title":"A short one"}\n'
    '{"t":"2025-10-31T22:48:41Z","kind":"quote","account":"a","symbol":"HFTUSDT","bid":"1","ask":"2","last":"1.5"}\n'
    '{"t":"2025-10-31T22:48:41.120Z","kind":"message","text":"{}"}\n{"t":"2025-11-02T00:00:00Z","kind":"end"}\n'
)


@frozen
class Finding:
    """An input that a parser did not take as it should."""

    form: str
    text: str | bytes
    what: str


def damaged(text: str, chance: Random) -> str | bytes:
    """The text with one to four things done to it; sometimes as bytes that are no text."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        match chance.randrange(7):
            case 0:
                text = text[:at] + chance.choice(ODD) + text[at:]
            case 1:
                text = text[:at] + text[min(to, at + 8) :]
            case 2:
                text = text[:to] + text[at:]
            case 3:
                text = (
                    text[:at] + chr(chance.choice((chance.randrange(128), chance.randrange(0x3000)))) + text[at + 1 :]
                )
            case 4:
                text = text[:at]
            case 5:
                parts = re.split(r'([,;:\n"])', text)
                parts[chance.randrange(len(parts))] = chance.choice(ODD)
                text = "".join(parts)
            case _:
                text = chance.choice((text.upper(), text.lower(), text.replace(" ", ""), text[::-1]))
    if chance.random() < 0.1:
        data = bytearray(text.encode(errors="replace"))
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data)
    return text


def readers() -> dict[Format, Reader]:
    rules = Rules("fuzz", "main", ACCOUNTS, 0, "fuzz:")
    return {form: Reader(form, rules, Mapped({}), Namer(60)) for form in CORPUS}


def look(form: Format, reader: Reader, text: str | bytes) -> Iterator[Finding | Signal | BadSignal]:
    """The answers of a parser, and what is wrong with them."""
    try:
        answers = reader.read(text, NOW_NS)
    except Exception as error:
        yield Finding(form, text, f"raised {type(error).__name__}: {error}")
        return
    for answer in answers:
        what = _wrong(form, text, answer)
        yield answer if what is None else Finding(form, text, what)


def _wrong(form: Format, text: str | bytes, answer: Signal | BadSignal) -> str | None:
    if isinstance(answer, BadSignal):
        fine = answer.code and answer.message and len(answer.raw) <= 1000 and "\n" not in answer.message
        return None if fine else f"is refused badly: {answer}"
    letters = _letters(text)
    symbol = answer.symbol
    turned = any(symbol == letters[i + n : i + n + len(symbol) - n] + letters[i : i + n]
                 for n in (4,) for i in range(len(letters)))  # fmt: skip
    if symbol not in letters and not turned:
        return f"a market was invented: {symbol}"
    words = letters.lower()
    if form in ("alert", "octobot") and not any(each in words for each in _ACTIONS):
        return f"an action was invented: {answer.side}"
    stop = answer.settings.stop_percent
    if stop is not None and not 0 < stop.value <= 50:
        return f"a stop was invented: {stop}"
    if not 0 <= answer.score <= 100 or answer.bar_time_ns < 0 or len(answer.id) > 90:
        return f"is out of bounds: {answer}"
    return None


def _letters(text: str | bytes) -> str:
    """The letters and digits of an input, capitals, as a JSON decoder would see them."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    with contextlib.suppress(ValueError, RecursionError):
        plain += json.dumps(json.loads(plain), ensure_ascii=False)
    return re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", plain).upper())


def recording_is_fine(text: str | bytes, directory: Path) -> Finding | None:
    """Whether a damaged recording is read, or refused with its mistakes."""
    (directory / TIMELINE).write_bytes(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    try:
        load_recording(directory)
    except ConfigError as error:
        return None if error.problems else Finding("recording", text, "is refused without a reason")
    except Exception as error:
        return Finding("recording", text, f"raised {type(error).__name__}: {error}")
    return None


def campaign(count: int, seed: int, told: Callable[[str], None]) -> list[Finding]:
    """Damage and read `count` messages; every tenth is a recording."""
    chance, made = Random(seed), readers()
    forms, outcomes, findings = tuple(CORPUS), Counter[str](), list[Finding]()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for n in range(count):
            if n % 10 == 0:
                found = recording_is_fine(damaged(RECORDING, chance), Path(scratch))
                findings += [] if found is None else [found]
                outcomes["recordings"] += 1
                continue
            form = forms[n % len(forms)]
            text = damaged(chance.choice(CORPUS[form]), chance)
            for answer in look(form, made[form], text):
                if isinstance(answer, Finding):
                    findings.append(answer)
                outcomes[f"{form} {'signals' if isinstance(answer, Signal) else 'refused'}"] += 1
            body_of(text if isinstance(text, str) else text.decode(errors="replace"))
    told(f"{count} inputs in {time.monotonic() - began:.0f} s, seed {seed}: {dict(sorted(outcomes.items()))}")
    return findings


def main(words: Sequence[str]) -> int:
    """Status 1 if anything was found."""
    findings = campaign(int(words[0]), int(words[1]) if len(words) > 1 else 0, print)
    for each in findings[:20]:
        print(f"{each.form}: {each.what}\n    {each.text!r}")  # noqa: T201
    print(f"{len(findings)} findings")  # noqa: T201
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
