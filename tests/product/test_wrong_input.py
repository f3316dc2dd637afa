"""Wrong input: one clear line for each mistake, all of them at once, status 2, and nothing is started."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.product.conftest import ROOT, Product

DEFAULT = (ROOT / "config.toml").read_text(encoding="utf-8")


@pytest.fixture
def deployment(tmp_path: Path) -> Callable[..., Product]:
    """The default deployment with pieces of its text replaced; its examples stay where they are."""

    def make(*changes: tuple[str, str]) -> Product:
        text = DEFAULT.replace('"examples/', f'"{ROOT}/examples/')
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        return Product(tmp_path / "state", tmp_path / "config.toml")

    return make


MISTAKES = {
    "an unknown key, with a suggestion": (
        'max_percent = "0.1"', 'max_percnt = "0.1"', r"\[filters\.spread\] max_percnt: .*did you mean .*max_percent"),
    "a wrong type": ('position_usd = "6"', "position_usd = true", r"\[sizing\] position_usd: .*number"),
    "a fraction for a whole number": (
        "max_age_minutes = 30", "max_age_minutes = 1.9", r"max_age_minutes: .*whole number.*1\.9"),
    "out of range": ('distance_percent = "0.5"', 'distance_percent = "-0.5"', r"distance_percent: .*greater than 0"),
    "a missing file": ("binance_usdm_2025-03.json", "nowhere.json", r"\[exchanges\.binance\] markets: .*nowhere\.json"),
    "an unknown component, with a suggestion": (
        'use = "fixed-usd"', 'use = "fixd-usd"', r"\[sizing\].*fixd-usd.*fixed-usd"),
    "an unknown table": ("[execution]", "[exekution]", r"exekution.*did you mean.*execution"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_line_with_its_place(deployment: Callable[..., Product], name: str) -> None:
    old, new, pattern = MISTAKES[name]
    product = deployment((old, new))
    done = product.run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert not (product.state / "journal.sqlite").exists()
    lines = done.stderr.splitlines()
    assert any(re.search(pattern, line) for line in lines), done.stderr
    assert "Traceback" not in done.stderr
    text = product.config.read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(text, 1) if new.splitlines()[0] in line)
    assert any(f"config.toml:{number}" in line for line in lines), (number, done.stderr)


def test_all_mistakes_are_told_at_once(deployment: Callable[..., Product]) -> None:
    wanted = [name for name in MISTAKES if name not in ("an unknown table", "an unknown component, with a suggestion")]
    done = deployment(*(MISTAKES[name][:2] for name in wanted)).run()
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == len(wanted), done.stderr
    for name in wanted:
        assert any(re.search(MISTAKES[name][2], line) for line in lines), (name, done.stderr)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--live", "binance"], r"error: --live binance: paper is a simulated exchange \(.*config\.toml:\d+ .*"),
        (["--live", "binnance"], r"error: --live binnance: there is no account of that name; did you mean binance\?"),
        (["--set", "exchanges.binance.live=true"], r"error: .*live = true, but paper is a simulated exchange; .*"),
    ],
)
def test_a_paper_deployment_does_not_become_a_live_one(fresh: Product, words: list[str], line: str) -> None:
    done = fresh("run", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"{line}\n", done.stderr), done.stderr
    assert not fresh.state.exists()


def test_a_missing_configuration_is_one_line(tmp_path: Path) -> None:
    done = Product(tmp_path / "state", tmp_path / "absent.toml").run()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "absent.toml" in done.stderr


def test_a_broken_toml_file_is_one_line_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[framework]\nstate = \n", encoding="utf-8")
    done = Product(tmp_path / "state", tmp_path / "config.toml").run()
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "config.toml:2" in line


def test_an_override_that_points_nowhere_is_named(fresh: Product) -> None:
    done = fresh.run(["sizing.positon_usd=20", "filters.sprad.enabled=true"])
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "positon_usd" in done.stderr
    assert "position_usd" in done.stderr
    assert "sprad" in done.stderr


def test_a_damaged_recording_is_named_line_by_line_and_nothing_is_started(
    deployment: Callable[..., Product], tmp_path: Path
) -> None:
    session = tmp_path / "session"
    session.mkdir()
    lines = (ROOT / "examples/wave-2025-10-31/timeline.jsonl").read_text(encoding="utf-8").splitlines()
    quotes = [i for i, line in enumerate(lines) if '"quote"' in line]
    lines[quotes[0]] = lines[quotes[0]].replace('"bid": "', '"bid": "x').replace('"bid":"', '"bid":"x')
    lines[quotes[1]] = lines[quotes[1]].replace('"quote"', '"qoute"')
    (session / "timeline.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (session / "signals.json").write_text('{"type": "signals", "data": []}', encoding="utf-8")
    product = deployment((f"{ROOT}/examples/wave-2025-10-31", str(session)))
    done = product.run()
    assert done.returncode == 2
    told = done.stderr.splitlines()
    assert len(told) == 2, done.stderr
    assert f"timeline.jsonl:{quotes[0] + 1}" in told[0]
    assert f"timeline.jsonl:{quotes[1] + 1}" in told[1]
    assert not (product.state / "journal.sqlite").exists()
