"""The SQL that changes the read models: built once from the models, prepared by SQLite, run with named values."""

from __future__ import annotations

from attrs import frozen
from peewee import Model

from . import models
from .models import columns_of


@frozen(eq=False)
class Statement:
    """One statement with named parameters. It touches the read models alone."""

    sql: str


def _insert(model: type[Model], *, extra: str = "", verb: str = "INSERT") -> Statement:
    columns = columns_of(model)
    values = ", ".join(f":{column}" for column in columns)
    # Table and column names come from our own models, values are bound.
    table = model._meta.table_name
    return Statement(f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({values}){extra}")


def _upsert(model: type[Model], key: str) -> Statement:
    updates = ", ".join(f"{column}=excluded.{column}" for column in columns_of(model) if column != key)
    return _insert(model, extra=f" ON CONFLICT ({key}) DO UPDATE SET {updates}")


INSERT_FACT = _insert(models.FactTable)
"""With the link of the chain under the name `hash`."""

INSERT_SESSION = _insert(models.SessionTable)
INSERT_WAVE = _insert(models.WaveTable, verb="INSERT OR IGNORE")
INSERT_SIGNAL = _insert(models.SignalTable, verb="INSERT OR IGNORE")
INSERT_DECISION = _insert(models.DecisionTable)
UPSERT_POSITION = _upsert(models.PositionTable, "position_id")
INSERT_ORDER = _insert(models.OrderTable)
INSERT_FILL = _insert(models.FillTable, verb="INSERT OR IGNORE")
INSERT_STOP_MOVE = _insert(models.StopMoveTable)
INSERT_EVENT = _insert(models.EventTable)

END_SESSION = Statement(
    "UPDATE sessions SET ended_ns = :ended_ns, reason = :reason, open_positions = :open_positions"
    " WHERE seq = (SELECT max(seq) FROM sessions)"
)

DECIDE_WAVE = Statement(
    "UPDATE waves SET decided_ns = :decided_ns, targets = :targets, opened = :opened WHERE wave_id = :wave_id"
)

# What is refused may arrive before the first good signal of its bar, or after it.
REFUSE_SIGNAL = Statement(
    INSERT_SIGNAL.sql.replace(
        ":wave_id", "(SELECT wave_id FROM waves WHERE bar_time_ns = :bar_time_ns ORDER BY opened_ns, wave_id LIMIT 1)"
    )
)
ADOPT_REFUSED = Statement(
    "UPDATE signals SET wave_id = :wave_id WHERE outcome = 'refused' AND wave_id IS NULL AND bar_time_ns = :bar_time_ns"
)

DECIDE_SIGNAL = Statement(
    "UPDATE signals SET outcome = :outcome, stage = :stage, component = :component, code = :code, message = :message,"
    " numbers = :numbers, position_id = coalesce(:position_id, position_id)"
    " WHERE signal_id = :signal_id AND outcome <> 'refused'"
)

# A client id may carry several requests (a stop is placed, moved, cancelled): the newest of that action is answered.
ANSWER_ORDER = Statement(
    "UPDATE orders SET result = :result, took_ns = :took_ns, message = :message, answer = :answer"
    " WHERE seq = (SELECT max(seq) FROM orders"
    " WHERE client_id = :client_id AND action = :action AND position_id = :position_id)"
)
