"""Secrets of the deployment are kept from whoever looks on."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from framework import Event, Outcome, Secret
from framework.components import Observer
from framework.engine.observers import Gallery
from framework.engine.redaction import HIDDEN, Redactor, secrets_of
from framework.testing import StillClock
from tests.core.records import changed
from tests.engine.fakes import in_virtual_time
from tests.engine.test_observers import Sees

KEY = "k3y-of-the-account"


@frozen
class Keyed:
    api_key: Secret
    more: tuple[Secret, ...] = ()
    named: dict[str, Secret] = field(factory=dict)
    plain: str = "not a secret"


def test_every_secret_among_the_settings_of_a_component_is_found() -> None:
    component = Keyed(Secret("one"), (Secret("two"),), {"x": Secret("three")})

    assert list(secrets_of([component, object()])) == ["one", "two", "three"]


def test_a_secret_is_hidden_wherever_it_stands_in_a_record() -> None:
    outcome = Outcome(1, "p", "one", "BTCUSDT", "stop", "c", "refused", 5, f"key {KEY} is bad", {KEY: f"<{KEY}>"})

    cleaned = Redactor((KEY,)).clean(outcome)

    assert KEY not in repr(cleaned)
    assert cleaned.message == f"key {HIDDEN} is bad"
    assert cleaned.numbers == {HIDDEN: f"<{HIDDEN}>"}


def test_a_secret_that_holds_another_is_hidden_as_a_whole() -> None:
    assert Redactor(("abc", "abcdef")).clean("x abcdef y abc") == f"x {HIDDEN} y {HIDDEN}"


def test_a_record_without_a_secret_is_handed_on_as_it_is() -> None:
    record = changed("p-1", to="protected")

    assert Redactor((KEY,)).clean(record) is record
    assert Redactor(()).clean(record) is record


def test_what_hides_secrets_does_not_show_them_itself() -> None:
    assert KEY not in repr(Redactor((KEY,)))


def test_an_empty_secret_hides_nothing() -> None:
    assert Redactor(("",)).clean("text") == "text"


@given(st.text(), st.text(min_size=1), st.decimals(allow_nan=False))
def test_no_text_of_a_record_holds_the_secret_afterwards(text: str, secret: str, number: Decimal) -> None:
    event = Event(1, "info", "code", text + secret + text, numbers={"n": number, "t": secret})

    cleaned = Redactor((secret,)).clean(event)

    assert secret not in cleaned.message.replace(HIDDEN, "") or secret in HIDDEN
    assert number in cleaned.numbers.values()  # under whatever name: a secret may be part of that, too


@in_virtual_time
async def test_observers_never_see_a_secret() -> None:
    seen: Observer = Sees()
    gallery = Gallery(StillClock(), [seen], lambda record: None, Redactor((KEY,)))
    gallery.start()

    gallery.show(Event(1, "error", "code", f"the key {KEY} was refused"))
    await gallery.aclose(5)

    assert isinstance(seen, Sees)
    assert [each.message for each in seen.seen if isinstance(each, Event)] == [f"the key {HIDDEN} was refused"]
