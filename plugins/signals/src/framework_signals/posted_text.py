"""Signals that people post as text, in the manner of Cornix: a market, entries, targets, a stop, in almost any layout.

The words are those of Cornix's help page "Signal posting". Read strictly: what is not certain is refused with the
reason, because a price that was misread is worse than a signal that was missed. A signal needs the full name of its
market, an entry, and targets or a stop that agree with each other about the direction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise, zip_longest

from attrs import define, field, frozen

from framework import BadSignal, Signal

from .json_values import ValueRefusedError, shown
from .wishes import Namer, Rules, Wish, as_signal, refused

MAX_TEXT = 10_000
LARGEST = Decimal(10) ** 9
STOP_RANGE = (Decimal("0.01"), Decimal(50))

QUOTES = "USDT|USDC"
SEPARATED = re.compile(rf"(?<![A-Z0-9])#?\$?([A-Z0-9]{{1,15}})\s?[/_-]\s?({QUOTES})(?:\.P)?(?![A-Z0-9])")
JOINED = re.compile(rf"(?<![A-Z0-9/])#?\$?([A-Z0-9]{{2,15}}?)({QUOTES})(?:\.P)?(?![A-Z0-9])")
DIRECTION = re.compile(r"(?<![a-z])(long|short)(?![a-z])", re.IGNORECASE)
CONDITIONAL = re.compile(r"\b(above|below|breakout|break out)\b", re.IGNORECASE)
LEVERAGE = re.compile(r"\b(?:leverage|lev)\b[^\n]{0,30}?[0-9.]+\s*x\b|\bx?[0-9]+(?:\.[0-9]+)?\s?x\b", re.IGNORECASE)
GLUED = re.compile(
    r"(?<=[A-Za-z0-9.])(?=(?:Leverage|Entry|Entries|Take[ -]?Profit|Targets?|Stop|Exchanges?|Trailing|Signal Type)\b)"
)
KEYWORD = re.compile(
    r"(?P<trailing>trailing configuration)"
    r"|(?P<stop>\b(?:stop\s?-?\s?loss|stop|sl)(?:\s+targets?)?\b)"
    r"|(?P<entry>\b(?:entry|entries|buy)(?:\s+(?:targets?|zone|price|orders?|point|at))*\b)"
    r"|(?P<target>\b(?:take\s?-?\s?profits?|targets?|sell|tps?(?=[0-9\W]))(?:\s+targets?)?)"
    r"|(?P<other>\b(?:exchanges?|signal type|amount per trade|risk|rm|leverage|notes?)\b)",
    re.IGNORECASE,
)
LABEL = re.compile(r"(?:^\s*|(?<=[\s,;:(]))\(?([0-9]{1,2})\s?[):]\s?(?=\D*[0-9])|^\s*([0-9]{1,2})\s*[-=]\s+(?=[0-9$])")
AMOUNT = re.compile(
    r"(?<![0-9.,])\$?\s?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)([%A-Za-z,.]?[0-9A-Za-z]?)"
)
DASHES = re.compile("[\u2010-\u2015\u2212]")


@frozen
class Amount:
    """A number of the text; `percent` if it is one."""

    value: Decimal
    percent: bool


@define
class Post:
    """What was read so far."""

    entries: list[Decimal] = field(factory=list)
    targets: list[Decimal] = field(factory=list)
    stops: list[Amount] = field(factory=list)
    has_entry: bool = False


def parse_posted(text: str | bytes, rules: Rules, namer: Namer, received_ns: int) -> tuple[Signal | BadSignal, ...]:
    """The signal of one post, or why it is none. Never raises."""
    try:
        return (as_signal(_wish(text), rules, namer, received_ns),)
    except ValueRefusedError as error:
        return (refused(text, error, rules, received_ns),)


def _wish(text: str | bytes) -> Wish:
    plain = _normal(text)
    market = _market(plain)
    conditional = CONDITIONAL.search(plain)
    if conditional:
        raise ValueRefusedError("conditional_entry", f"an entry {conditional[1]!r} a price is not one for now")
    post = _read(plain)
    side = _side(plain, post)
    return Wish(action=side, market=market, stop_percent=_stop_percent(post))


def _normal(text: str | bytes) -> str:
    """The text with one kind of space and dash, without emojis, and with its glued words apart."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    if len(plain) > MAX_TEXT:
        raise ValueRefusedError("too_large", f"the post has {len(plain)} characters, at most {MAX_TEXT} are read")
    plain = DASHES.sub("-", unicodedata.normalize("NFKC", plain))
    plain = "".join(each if each == "\n" or " " <= each <= "~" else " " for each in plain)
    return LEVERAGE.sub(" ", GLUED.sub("\n", plain))


def _market(plain: str) -> str:
    """The one market that is named in full."""
    upper = plain.upper()
    found = {f"{base}{quote}" for base, quote in SEPARATED.findall(upper)}
    found |= {f"{base}{quote}" for base, quote in JOINED.findall(upper)}
    if not found:
        raise ValueRefusedError("no_market", "no market is named in full, such as BTC/USDT; a bare coin is not enough")
    if len(found) > 1:
        raise ValueRefusedError("ambiguous", f"several markets are named: {', '.join(sorted(found))}")
    return found.pop()


def _read(plain: str) -> Post:
    post = Post()
    for kind, content in _sections(plain):
        amounts = list(_amounts(content, labelled=kind != "stop"))
        if kind == "stop":
            post.stops += amounts
        elif kind == "entry":
            post.has_entry = True
            post.entries += [each.value for each in amounts if not each.percent]
        else:
            post.targets += [each.value for each in amounts if not each.percent]
    if not post.has_entry:
        raise ValueRefusedError("no_entry", "there is neither an entry nor a buy")
    if not post.targets and not post.stops:
        raise ValueRefusedError("no_target", "there is neither a target nor a stop")
    return post


def _sections(plain: str) -> Iterator[tuple[str, str]]:
    """The text after each keyword up to the next one. What follows a trailing configuration is not ours to read."""
    marks = list(KEYWORD.finditer(plain))
    for mark, following in zip_longest(marks, marks[1:]):
        kind = mark.lastgroup or ""
        if kind == "trailing":
            return
        if kind != "other":
            yield kind, plain[mark.end() : following.start() if following else len(plain)]


def _amounts(content: str, *, labelled: bool) -> Iterator[Amount]:
    """The numbers of a section, in order, without the labels before them."""
    if re.match(r"[0-9]{1,2}\.[0-9]", content):
        raise ValueRefusedError("ambiguous", f"a label or a price? {shown(content.strip()[:20])}")
    bare = LABEL.sub(" ", content)
    found = list(AMOUNT.finditer(bare))
    for match, following in zip_longest(found, found[1:]):
        digits, after = match[1], match[2]
        _check_number(digits, after, bare[match.start() : match.end() + 8])
        gap = bare[match.end() : following.start()] if following else ""
        if labelled and following and digits.isdigit() and int(digits) <= 20 and gap.strip(" ") == "":
            raise ValueRefusedError("ambiguous", f"a label or a price? {shown(bare[match.start() : following.end()])}")
        yield Amount(Decimal(digits.replace(",", "")), after.startswith("%"))


def _check_number(digits: str, after: str, context: str) -> None:
    """Refuse a number that could be another one."""
    thousands = "," in digits and digits.startswith("0")
    glued = after[:1] == "," and after[1:2].isdigit()
    lettered = bool(after) and after[0].isalpha()
    second_dot = after[:1] == "." and after[1:2].isdigit()
    if thousands or glued or lettered or second_dot:
        raise ValueRefusedError("ambiguous", f"which number is this? {shown(context.strip())}")
    if len(digits) > 24 or not 0 < Decimal(digits.replace(",", "")) <= LARGEST:
        raise ValueRefusedError("out_of_range", f"{shown(digits)} is no price")


def _side(plain: str, post: Post) -> str:
    """Long or short: as it says, and as its prices say; both must agree."""
    said = {word.lower() for word in DIRECTION.findall(plain)}
    if len(said) > 1:
        raise ValueRefusedError("ambiguous", "the post says both long and short")
    stops = [stop.value for stop in post.stops if not stop.percent]
    meant = {side for side in ("long", "short") if _agrees(side, post.entries, post.targets, stops)}
    if not meant:
        raise ValueRefusedError("contradiction", "entries, targets and stop fit neither a long nor a short")
    if said and not said & meant:
        raise ValueRefusedError("contradiction", f"the post says {min(said)}, its prices say {min(meant)}")
    sides = said or meant
    if len(sides) > 1:
        raise ValueRefusedError("no_direction", "neither the words nor the prices say long or short")
    return sides.pop()


def _agrees(side: str, entries: list[Decimal], targets: list[Decimal], stops: list[Decimal]) -> bool:
    """Whether stop, entries and targets lie in the order that this side has."""
    groups = [stops, entries, targets] if side == "long" else [targets, entries, stops]
    given = [group for group in groups if group]
    return all(max(lower) < min(higher) for lower, higher in pairwise(given))


def _stop_percent(post: Post) -> Decimal | None:
    """How far the stop is from the middle of the entries, in percent; None if there is no stop."""
    if not post.stops:
        return None
    if len(post.stops) > 1:
        raise ValueRefusedError("ambiguous", "more than one number stands for the stop")
    (stop,) = post.stops
    if stop.percent:
        percent = stop.value
    elif not post.entries:
        return None
    else:
        middle = (min(post.entries) + max(post.entries)) / 2
        percent = (abs(middle - stop.value) / middle * 100).quantize(Decimal("0.0001"))
    if not STOP_RANGE[0] <= percent <= STOP_RANGE[1]:
        raise ValueRefusedError(
            "bad_stop", f"the stop is {percent} % away; possible are {STOP_RANGE[0]} to {STOP_RANGE[1]}"
        )
    return percent
