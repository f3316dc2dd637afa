"""Whatever is done to a configuration: it is read, or its mistakes are told; nothing else ever comes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework import PluginError
from framework.config import load_deployment
from framework.errors import ConfigError, Problem
from tests.config.conftest import SAMPLE, Desk

DEFAULT = (Path(__file__).parents[2] / "config.toml").read_text()

FRAGMENTS = [
    "=", "[", "]", "[[", "]]", "{", "}", '"', "'", "#", ",", ".", "\n", "\0", "\\", "é", '"""',
    "0", "-1", "1.9", "nan", "inf", "1e400", "true", "[]", "{}", '""', "1979-05-27", "0xffffffffffffffffffff",
    "use", "enabled", "load", "exchanges", "filters", "percent", '{ env = "NONE" }', '{ file = "/dev/null" }',
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, original: str) -> str:
    """The text after some lines and values were cut, doubled, swapped or overwritten."""
    lines = original.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["cut", "double", "swap", "key", "value", "insert"])):
            case "cut" if len(lines) > 1:
                del lines[index]
            case "double":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines[index])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[index], lines[other] = lines[other], lines[index]
            case "key":
                lines[index] = draw(st.sampled_from(FRAGMENTS)) + " =" + lines[index].partition("=")[2]
            case "value":
                lines[index] = lines[index].partition("=")[0] + "= " + draw(st.sampled_from(FRAGMENTS))
            case _:
                at = draw(st.integers(0, len(lines[index])))
                lines[index] = lines[index][:at] + draw(st.sampled_from(FRAGMENTS)) + lines[index][at:]
    return "\n".join(lines)


def read(path: Path, text: str, *sets: str) -> None:
    path.write_bytes(text.encode())
    problems = mistakes(path, sets)
    assert len({(each.where, each.message) for each in problems}) == len(problems)
    for problem in problems:
        assert "\n" not in str(problem)
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1


def mistakes(path: Path, sets: Sequence[str]) -> tuple[Problem, ...]:
    try:
        load_deployment(path, environ={}, sets=sets)
    except ConfigError as error:
        return error.problems
    except PluginError as error:
        return tuple(Problem(error.distribution, line) for line in str(error).splitlines())
    return ()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=damaged(SAMPLE))
def test_a_damaged_sample_is_read_or_refused(desk: Desk, text: str) -> None:
    read(desk.path, text)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=damaged(DEFAULT))
def test_a_damaged_default_deployment_is_read_or_refused(tmp_path: Path, text: str) -> None:
    read(tmp_path / "config.toml", text)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(
        st.sampled_from(["filters", "typed", "sizing", "exchanges", "main", "0", "use", "count", ""]), max_size=4
    ),
    value=st.sampled_from(FRAGMENTS) | st.text(max_size=5),
)
def test_a_damaged_override_is_read_or_refused(desk: Desk, keys: list[str], value: str) -> None:
    read(desk.path, SAMPLE, f"{'.'.join(keys)}={value}")
