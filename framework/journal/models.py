"""The tables of the journal as peewee reads them. The migrations create them; a test keeps the two alike.

Columns that hold decimals or JSON are text. They come back as what they are; the projection writes the text itself.
Models are bound to no database: every query is bound to the connection that runs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from peewee import BlobField, BooleanField, CompositeKey, IntegerField, Model, TextField

from ..core.records import SessionMode
from . import codec


class DecimalText(TextField):
    """A decimal, kept digit for digit."""

    def python_value(self, value: str | None) -> Decimal | None:
        """The decimal of the stored text."""
        return None if value is None else Decimal(value)


class JsonText(TextField):
    """JSON, read by the function that it was declared with."""

    def __init__(self, load: Callable[[str], object], **options: Any) -> None:
        super().__init__(**options)
        self._load = load

    def python_value(self, value: str | None) -> object:
        """The value of the stored JSON."""
        return None if value is None else self._load(value)


class ModeText(TextField):
    """The mode of a session."""

    def python_value(self, value: str) -> SessionMode:
        """The mode of the stored text."""
        return SessionMode(value)


def _load_strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class FactTable(Model):
    """One immutable record each, with its link of the chain."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    kind = TextField()
    wave_id = TextField(null=True)
    signal_id = TextField(null=True)
    position_id = TextField(null=True)
    account = TextField(null=True)
    symbol = TextField(null=True)
    body = TextField()
    hash = BlobField()

    class Meta:
        table_name = "facts"


class SessionTable(Model):
    """Runs of the product."""

    seq = IntegerField(primary_key=True)
    started_ns = IntegerField()
    version = TextField()
    config_digest = TextField()
    accounts = JsonText(_load_strings)
    recorded = BooleanField()
    ended_ns = IntegerField(null=True)
    reason = TextField(null=True)
    open_positions = IntegerField(null=True)
    mode = ModeText()

    class Meta:
        table_name = "sessions"


class WaveTable(Model):
    """Waves; `targets` and `opened` count by account."""

    wave_id = TextField(primary_key=True)
    bar_time_ns = IntegerField()
    opened_ns = IntegerField()
    decided_ns = IntegerField(null=True)
    targets = JsonText(json.loads)
    opened = JsonText(json.loads)

    class Meta:
        table_name = "waves"


class SignalTable(Model):
    """Everything that arrived as a signal, the refused included, and what became of it."""

    seq = IntegerField(primary_key=True)
    signal_id = TextField(null=True)
    wave_id = TextField(null=True)
    source = TextField()
    account = TextField(null=True)
    symbol = TextField(null=True)
    side = TextField(null=True)
    bar_time_ns = IntegerField(null=True)
    created_ns = IntegerField(null=True)
    received_ns = IntegerField()
    score = DecimalText(null=True)
    outcome = TextField()
    stage = TextField()
    component = TextField()
    code = TextField()
    message = TextField()
    numbers = JsonText(codec.load_numbers)
    position_id = TextField(null=True)

    class Meta:
        table_name = "signals"


class DecisionTable(Model):
    """What became of a signal, stage by stage."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    wave_id = TextField()
    signal_id = TextField()
    account = TextField()
    symbol = TextField()
    stage = TextField()
    outcome = TextField()
    component = TextField()
    code = TextField()
    message = TextField()
    numbers = JsonText(codec.load_numbers)
    checks = JsonText(codec.load_checks)
    position_id = TextField(null=True)

    class Meta:
        table_name = "decisions"


class PositionTable(Model):
    """Positions as they are now; `seq` is that of the newest fact about each."""

    position_id = TextField(primary_key=True)
    seq = IntegerField()
    changed_ns = IntegerField()
    signal_id = TextField()
    wave_id = TextField()
    account = TextField()
    symbol = TextField()
    state = TextField()
    side = TextField()
    status = TextField()
    quantity = DecimalText()
    entry_price = DecimalText(null=True)
    initial_stop_price = DecimalText(null=True)
    stop_price = DecimalText(null=True)
    exit_price = DecimalText(null=True)
    exit_reason = TextField(null=True)
    realized_pnl_usd = DecimalText(null=True)
    fees_usd = DecimalText()
    decided_ns = IntegerField()
    opened_ns = IntegerField(null=True)
    protected_ns = IntegerField(null=True)
    closed_ns = IntegerField(null=True)
    exit_trigger_price = DecimalText(null=True)
    exit_triggered_ns = IntegerField(null=True)

    class Meta:
        table_name = "positions"


class OrderTable(Model):
    """Requests to a venue (intents), each with its outcome once there is one."""

    seq = IntegerField(primary_key=True)
    client_id = TextField()
    position_id = TextField()
    account = TextField()
    symbol = TextField()
    action = TextField()
    leg = TextField()
    sent_ns = IntegerField()
    request = JsonText(codec.load_numbers)
    result = TextField(null=True)
    took_ns = IntegerField(null=True)
    message = TextField()
    answer = JsonText(codec.load_numbers)

    class Meta:
        table_name = "orders"


class FillTable(Model):
    """Executions, each once, however often it was told."""

    account = TextField()
    symbol = TextField()
    fill_id = TextField()
    seq = IntegerField()
    position_id = TextField()
    order_id = TextField()
    client_id = TextField()
    side = TextField()
    quantity = DecimalText()
    price = DecimalText()
    fee_usd = DecimalText()
    time_ns = IntegerField()
    cause = TextField()

    class Meta:
        table_name = "fills"
        primary_key = CompositeKey("account", "symbol", "fill_id")


class StopMoveTable(Model):
    """Every change of a wanted stop."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    position_id = TextField()
    account = TextField()
    symbol = TextField()
    from_price = DecimalText(null=True)
    to_price = DecimalText()
    component = TextField()
    numbers = JsonText(codec.load_numbers)

    class Meta:
        table_name = "stop_moves"


class EventTable(Model):
    """Events for people."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    level = TextField()
    code = TextField()
    message = TextField()
    account = TextField()
    symbol = TextField()
    position_id = TextField()
    signal_id = TextField()
    numbers = JsonText(codec.load_numbers)

    class Meta:
        table_name = "events"


READ_MODELS: tuple[type[Model], ...] = (
    SessionTable,
    WaveTable,
    SignalTable,
    DecisionTable,
    PositionTable,
    OrderTable,
    FillTable,
    StopMoveTable,
    EventTable,
)
"""What `rebuild` may empty and fill again from the facts."""


def columns_of(model: type[Model]) -> tuple[str, ...]:
    """The columns of a table, in order."""
    names: tuple[str, ...] = tuple(model._meta.sorted_field_names)
    return names
