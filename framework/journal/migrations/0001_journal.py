"""The first schema: append-only facts, and the read models that are projected from them.

The tables are frozen copies, on purpose independent of `framework.journal.models`.
"""

from __future__ import annotations

from typing import Any

from peewee import BooleanField, CompositeKey, Database, IntegerField, Model, TextField

ONLY_APPEND = """
CREATE TRIGGER facts_refuse_{name} BEFORE {verb} ON facts
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END
"""

NO_GAPS = """
CREATE TRIGGER facts_without_gaps BEFORE INSERT ON facts
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM facts)
BEGIN SELECT RAISE(ABORT, 'facts are numbered without gaps'); END
"""

INDEXES = (
    "CREATE INDEX facts_of_signal ON facts (signal_id) WHERE signal_id IS NOT NULL",
    "CREATE INDEX facts_of_position ON facts (position_id) WHERE position_id IS NOT NULL",
    "CREATE UNIQUE INDEX signals_once ON signals (signal_id) WHERE outcome <> 'refused'",
    "CREATE INDEX signals_of_wave ON signals (wave_id)",
    "CREATE INDEX signals_refused ON signals (bar_time_ns) WHERE outcome = 'refused'",
    "CREATE INDEX waves_of_bar ON waves (bar_time_ns)",
    "CREATE INDEX decisions_of_signal ON decisions (signal_id)",
    "CREATE INDEX positions_of_signal ON positions (signal_id)",
    "CREATE INDEX orders_of_position ON orders (position_id)",
    "CREATE INDEX orders_by_client_id ON orders (client_id)",
    "CREATE INDEX fills_of_position ON fills (position_id)",
    "CREATE INDEX stop_moves_of_position ON stop_moves (position_id)",
)


class Fact(Model):
    """One immutable record."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    kind = TextField()
    wave_id = TextField(null=True)
    signal_id = TextField(null=True)
    position_id = TextField(null=True)
    account = TextField(null=True)
    symbol = TextField(null=True)
    body = TextField()

    class Meta:
        table_name = "facts"


class Session(Model):
    """One run of the product."""

    seq = IntegerField(primary_key=True)
    started_ns = IntegerField()
    version = TextField()
    config_digest = TextField()
    accounts = TextField()
    recorded = BooleanField()
    ended_ns = IntegerField(null=True)
    reason = TextField(null=True)
    open_positions = IntegerField(null=True)

    class Meta:
        table_name = "sessions"


class Wave(Model):
    """The signals of one bar."""

    wave_id = TextField(primary_key=True)
    bar_time_ns = IntegerField()
    opened_ns = IntegerField()
    decided_ns = IntegerField(null=True)
    targets = TextField()
    opened = TextField()

    class Meta:
        table_name = "waves"


class Signal(Model):
    """A signal that arrived, used or refused."""

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
    score = TextField(null=True)
    outcome = TextField()
    stage = TextField()
    component = TextField()
    code = TextField()
    message = TextField()
    numbers = TextField()
    position_id = TextField(null=True)

    class Meta:
        table_name = "signals"


class Decision(Model):
    """What became of a signal at one stage."""

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
    numbers = TextField()
    checks = TextField()
    position_id = TextField(null=True)

    class Meta:
        table_name = "decisions"


class Position(Model):
    """A position as it is now."""

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
    quantity = TextField()
    entry_price = TextField(null=True)
    initial_stop_price = TextField(null=True)
    stop_price = TextField(null=True)
    exit_price = TextField(null=True)
    exit_reason = TextField(null=True)
    realized_pnl_usd = TextField(null=True)
    fees_usd = TextField()
    decided_ns = IntegerField()
    opened_ns = IntegerField(null=True)
    protected_ns = IntegerField(null=True)
    closed_ns = IntegerField(null=True)
    exit_trigger_price = TextField(null=True)
    exit_triggered_ns = IntegerField(null=True)

    class Meta:
        table_name = "positions"


class Order(Model):
    """A request to a venue and its outcome."""

    seq = IntegerField(primary_key=True)
    client_id = TextField()
    position_id = TextField()
    account = TextField()
    symbol = TextField()
    action = TextField()
    leg = TextField()
    sent_ns = IntegerField()
    request = TextField()
    result = TextField(null=True)
    took_ns = IntegerField(null=True)
    message = TextField()
    answer = TextField()

    class Meta:
        table_name = "orders"


class Fill(Model):
    """An execution."""

    account = TextField()
    symbol = TextField()
    fill_id = TextField()
    seq = IntegerField()
    position_id = TextField()
    order_id = TextField()
    client_id = TextField()
    side = TextField()
    quantity = TextField()
    price = TextField()
    fee_usd = TextField()
    time_ns = IntegerField()
    cause = TextField()

    class Meta:
        table_name = "fills"
        primary_key = CompositeKey("account", "symbol", "fill_id")


class StopMove(Model):
    """A step of a trailing stop."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    position_id = TextField()
    account = TextField()
    symbol = TextField()
    from_price = TextField(null=True)
    to_price = TextField()
    component = TextField()
    numbers = TextField()

    class Meta:
        table_name = "stop_moves"


class Event(Model):
    """Something that people should be able to find again."""

    seq = IntegerField(primary_key=True)
    time_ns = IntegerField()
    level = TextField()
    code = TextField()
    message = TextField()
    account = TextField()
    symbol = TextField()
    position_id = TextField()
    signal_id = TextField()
    numbers = TextField()

    class Meta:
        table_name = "events"


MODELS = (Fact, Session, Wave, Signal, Decision, Position, Order, Fill, StopMove, Event)


def up(migrator: Any, db: Database) -> None:
    """Create everything, and let the database itself refuse to change a fact."""
    with db.bind_ctx(MODELS):
        db.create_tables(MODELS, safe=False)
    refusals = (
        ONLY_APPEND.format(name="update", verb="UPDATE"),
        ONLY_APPEND.format(name="delete", verb="DELETE"),
        NO_GAPS,
    )
    migrator.migrate(*(migrator.sql(statement) for statement in (*INDEXES, *refusals)))
