"""The command: what it reads, prints and answers."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from tests.oracle.bounds import Bounds, options
from tests.oracle.command import main
from tests.oracle.ledger import Line
from tests.oracle.story import MS, P1, START_NS, Story, opened, rows


def kept(path: Path, story: Story) -> str:
    path.write_text("".join(rows(story.lines)), encoding="utf-8")
    return str(path)


@pytest.fixture
def good(tmp_path: Path) -> str:
    return kept(tmp_path / "good.jsonl", opened().wait(100).close().cancel_stop())


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return kept(tmp_path / "bad.jsonl", opened().cancel_stop().wait(9000).close())


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_a_run_without_violations_answers_0(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = answered(capsys, good)

    assert status == 0
    assert out.count(" ok\n") == 14
    assert "naked ms p50 20.0, p99 20.0, worst 20.0, total 20.0 (up 20.0, down 0.0, under faults 0.0)" in out


def test_a_violation_answers_1_and_is_told_with_line_time_and_market(
    bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = answered(capsys, bad)

    assert status == 1
    (where,) = [row.strip() for row in out.splitlines() if "given up" in row]
    assert where == (
        f"seq 13, t {START_NS + 20 * MS} (+0.020 s), binance demo BTCUSDT: "
        "the stop at 49000 was given up before there was another"
    )


def test_only_the_first_three_of_many_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    for _ in range(5):
        story.read("/sapi/v1/asset/transfer")

    _, out, _ = answered(capsys, kept(tmp_path / "many.jsonl", story))

    assert out.count("is nothing to ask for") == 3
    assert "5 violations" in out


def test_each_of_several_ledgers_is_judged_by_itself(good: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = answered(capsys, good, bad, "--json")
    told = json.loads(out)

    assert status == 1
    assert [ledger["name"] for ledger in told["ledgers"]] == [good, bad]
    assert [sum(one["violations"] for one in ledger["invariants"]) for ledger in told["ledgers"]] == [0, 2]
    assert told["violations"] == 2
    assert [one["number"] for one in told["ledgers"][1]["invariants"] if one["violations"]] == [1, 8]
    assert told["ledgers"][1]["invariants"][7]["first"][0]["seq"] == 13


def test_a_torn_last_line_is_said_and_not_judged(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(good)
    path.write_text(path.read_text()[:-20], encoding="utf-8")

    status, out, _ = answered(capsys, good)

    assert status == 0
    assert out.splitlines()[0].endswith("18 lines over 0.120 s, judged up to the torn line 19")


def with_line(**changes: object) -> list[Line]:
    lines = opened().lines
    lines[3].update(changes)
    return lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no line in it"),
        ("".join(rows(opened().lines[1:])), "expected seq 1, got 2"),
        ("".join(rows([*opened().lines[:4], *opened().lines[5:]])), "expected seq 5, got 6: lines are missing"),
        ("".join(rows([*opened().lines[:4], opened().lines[3]])), "expected seq 5, got 4"),
        ("{}\n", "line 1: it lacks seq, t or kind"),
        ("7\n", "line 1: it lacks seq, t or kind"),
        ("oops\n" + "".join(rows(opened().lines)), "line 1: it is no JSON"),
        (rows(opened().lines)[0].rstrip() + " 7\n" + rows(opened().lines)[1], "line 1: there is more in it"),
        ("".join(rows(with_line(kind="guess"))), "seq 4: the kind 'guess' is unknown"),
        ("".join(rows(with_line(t=START_NS - 1))), "runs backwards"),
        ("".join(rows(with_line(qty="much"))), "seq 4: the line lacks a field, or has a strange one"),
        ("".join(rows(with_line(order=["x"]))), "seq 4: the line lacks a field, or has a strange one"),
    ],
)
def test_a_ledger_that_cannot_be_judged_answers_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = tmp_path / "strange.jsonl"
    path.write_text(text, encoding="utf-8")

    status, out, err = answered(capsys, str(path))

    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_ledger_that_is_not_there_answers_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = answered(capsys, str(tmp_path / "none.jsonl"))

    assert (status, err) == (2, f"error: {tmp_path}/none.jsonl: No such file or directory\n")


def test_time_down_is_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = kept(tmp_path / "down.jsonl", Story().price().enter().wait(9000).place_stop().close())
    up = tmp_path / "up.json"
    up.write_text(json.dumps([[START_NS, START_NS + 100 * MS], [START_NS + 8900 * MS, None]]))

    assert answered(capsys, ledger)[0] == 1
    status, out, _ = answered(capsys, ledger, "--up", str(up))
    assert status == 0
    assert "(up 200.0, down 8800.0, under faults 0.0)" in out


@pytest.mark.parametrize("text", ["", "{}x", "[1]", "[[1,2,3]]", '[["a",1]]', "[[5,1]]", "[[1,5],[4,9]]"])
def test_intervals_that_are_none_answer_2(
    good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "up.json"
    path.write_text(text)

    status, _, err = answered(capsys, good, "--up", str(path))

    assert status == 2
    assert "up interval" in err


@pytest.mark.parametrize("named", [{"position": P1}, {"entry_ids": [f"fw-{P1}-e0", f"fw-{P1}-e1"]}])
def test_plans_are_read_from_a_file(
    good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], named: dict[str, object]
) -> None:
    plan = {"venue": "binance", "account": "demo", "symbol": "BTCUSDT", "side": "buy", **named}
    path = tmp_path / "plans.jsonl"

    path.write_text(
        json.dumps({**plan, "max_qty": "1", "stop_low": "48000", "stop_high": "49500", "deadline_ns": START_NS})
    )
    assert answered(capsys, good, "--plans", str(path))[0] == 0
    path.write_text(json.dumps({**plan, "max_qty": "0.5", "stop_low": "49100"}))
    status, out, _ = answered(capsys, good, "--plans", str(path))
    assert status == 1
    assert "filled 1, planned: 0.5" in out
    assert "the stop at 49000 lies below the plan's 49100" in out


@pytest.mark.parametrize(
    "text",
    [
        "oops",
        "{}",
        '{"entry_ids":["x"],"symbol":"A","side":"buy"}',
        '{"position":"a","symbol":"A","side":"buy","max_qty":"x"}',
    ],
)
def test_plans_that_are_none_answer_2(good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = tmp_path / "plans.jsonl"
    path.write_text("\n" + text)

    status, _, err = answered(capsys, good, "--plans", str(path))

    assert status == 2
    assert "plans, line 2: " in err


def test_the_prefix_of_our_ids_is_an_option(good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, good, "--ours", "xy")[0] == 1
    other = tmp_path / "other.jsonl"
    other.write_text(Path(good).read_text().replace('"fw-', '"xy-'))
    assert answered(capsys, str(other), "--ours", "xy")[0] == 0
    assert answered(capsys, str(other))[0] == 1


def test_the_prefixes_of_other_peoples_ids_are_an_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    with story.request("POST", "/fapi/v1/order", 400, -2019, newClientOrderId="hand-1", side="BUY", symbol="BTCUSDT"):
        pass
    ledger = kept(tmp_path / "hand.jsonl", story)

    assert answered(capsys, ledger)[0] == 1
    assert answered(capsys, ledger, "--strangers", "x", "--strangers", "hand")[0] == 0


def test_hosts_are_an_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    with story.request("GET", "/fapi/v1/time", more={"host": "a:1"}):
        pass
    ledger = kept(tmp_path / "hosts.jsonl", story)

    assert answered(capsys, "--hosts", "b:1", ledger)[0] == 1
    assert answered(capsys, "--hosts", "b:1,a:1", ledger)[0] == 0


def test_every_bound_is_an_option_with_its_default_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())

    assert [name for name, _, _, _ in options()] == [one.name for one in fields(Bounds)]
    for _, option, default, meaning in options():
        assert f"{option} N" in said
        assert f"{meaning} ({default})" in said


def test_a_bound_that_is_given_acts(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = answered(capsys, bad, "--naked-max-ms-binance", "9020", "--json")

    assert [one["number"] for one in json.loads(out)["ledgers"][0]["invariants"] if one["violations"]] == [8]
