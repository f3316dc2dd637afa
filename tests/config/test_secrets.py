"""A secret comes from the environment or a file, and shows up nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework import Secret
from framework.config import load_deployment, placeholder_from
from framework.config.scalars import MistakeError
from framework.errors import ConfigError
from tests.config.components import Venue
from tests.config.conftest import Desk

WAYS = '{ env = "NAME" } or { file = "path" }'


def secret(desk: Desk, written: str) -> str:
    deployment = desk.load(desk.exchange_with(f"api_key = {written}"))
    component = deployment.exchanges[0].component
    assert isinstance(component, Venue)
    assert isinstance(component.api_key, Secret)
    assert component.api_key.reveal() not in repr(deployment)
    return component.api_key.reveal()


def test_a_secret_is_read_from_the_environment(desk: Desk) -> None:
    desk.environ["KEY"] = "abc 1"

    assert secret(desk, '{ env = "KEY" }') == "abc 1"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_a_file_without_the_newline_at_its_end(desk: Desk, end: str) -> None:
    (desk.directory / "key").write_bytes(b"abc 2" + end.encode())

    assert secret(desk, '{ file = "key" }') == "abc 2"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"tell-nobody"', f"a secret is not written into this file: give {WAYS}"),
        ("12345", f"a secret is not written into this file: give {WAYS}"),
        ('{ env = "KEY" }', "missing secret: the environment variable KEY does not exist"),
        ('{ env = "EMPTY" }', "missing secret: the environment variable EMPTY is empty"),
        ('{ env = "" }', f"a secret is given by exactly one of {WAYS}"),
        ('{ env = "KEY", file = "key" }', f"a secret is given by exactly one of {WAYS}"),
        ('{ value = "tell-nobody" }', f"a secret is given by exactly one of {WAYS}"),
        ("{ env = 5 }", f"a secret is given by exactly one of {WAYS}"),
        ("{}", f"a secret is given by exactly one of {WAYS}"),
        ('{ file = "none" }', "missing secret: the file DIRECTORY/none does not exist"),
        ('{ file = "empty" }', "missing secret: the file DIRECTORY/empty is empty"),
        ('{ file = "binary" }', "missing secret: the file DIRECTORY/binary is not UTF-8 text"),
        ('{ file = "." }', "missing secret: the file DIRECTORY can't be read: Is a directory"),
    ],
)
def test_what_is_no_secret_is_refused_and_never_repeated(desk: Desk, written: str, expected: str) -> None:
    desk.environ["EMPTY"] = ""
    (desk.directory / "empty").write_text("\n")
    (desk.directory / "binary").write_bytes(b"\xff")

    line = desk.problem(desk.exchange_with(f"api_key = {written}"))

    assert line == f"config.toml:9 [exchanges.main] api_key: {expected}".replace("DIRECTORY", str(desk.directory))
    assert "tell-nobody" not in line


def test_an_override_with_a_secret_in_it_is_refused_and_not_repeated(desk: Desk) -> None:
    line = desk.problem(desk.exchange_with(""), "exchanges.main.api_key=tell-nobody")

    assert line == f"--set exchanges.main.api_key: a secret is not written into this file: give {WAYS}"


def test_a_missing_secret_of_a_disabled_component_is_told_too(desk: Desk) -> None:
    spare = (
        '\n[exchanges.spare]\nuse = "venue"\nenabled = false\nmax_positions_per_wave = 1\napi_key = { env = "KEY" }\n'
    )

    assert "missing secret" in desk.problem(desk.exchange_with("") + spare)


@pytest.mark.parametrize("written", ['{ env = "UNSET" }', '{ file = "absent" }', '{ env = "KEY" }', '{ file = "key" }'])
def test_a_rehearsal_neither_needs_nor_reads_the_secrets_of_exchanges(desk: Desk, written: str) -> None:
    desk.environ["KEY"] = "the real one"
    (desk.directory / "key").write_text("the real one", encoding="utf-8")
    desk.path.write_text(desk.exchange_with(f"api_key = {written}"), encoding="utf-8")

    deployment = load_deployment(desk.path, environ=desk.environ, exchange_secret=placeholder_from)

    component = deployment.exchanges[0].component
    assert isinstance(component, Venue)
    assert component.api_key == placeholder_from({"env": "ANY"}, Path(), {})
    assert "real" not in component.api_key.reveal()


def test_a_rehearsal_still_needs_the_secrets_of_what_it_does_not_replace(desk: Desk) -> None:
    text = desk.exchange_with("").replace('use = "watcher"', 'use = "watcher"\ntoken = { env = "UNSET" }')
    desk.path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match="missing secret: the environment variable UNSET does not exist"):
        load_deployment(desk.path, environ={}, exchange_secret=placeholder_from)


def test_a_secret_in_the_file_is_refused_in_a_rehearsal_too() -> None:
    with pytest.raises(MistakeError, match="a secret is not written into this file"):
        placeholder_from("tell-nobody", Path(), {})
