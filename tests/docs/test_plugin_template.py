"""examples/plugin-template works as it is written: copied, with its three lines changed, tested, built and loaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomlkit

from framework.config import load_deployment
from framework.core.records import Decision, Intent
from framework.testing import NOW_NS
from tests.docs.guide import TEMPLATE, fenced, section
from tests.hooks.stage import Stage
from tests.house.tree import ROOT
from tests.third_party.packages import build_wheel

MODULE = Path("src", "framework_example", "__init__.py")
NOON = NOW_NS // 3_600_000_000_000 % 24

CHANGES = {
    'name = "framework-example" # 1': 'name = "acme-night" # 1',
    'example = "framework_example" # 2': 'night = "framework_example" # 2',
    'name: ClassVar[str] = "quiet-hours"  # 3': 'name: ClassVar[str] = "night-rest"  # 3',
}
"""What an author changes: the numbered lines, and nothing else."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the template, as an author makes it."""
    made = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "dist")
    return Path(shutil.copytree(TEMPLATE, tmp_path / "my-plugin", ignore=made))


@pytest.fixture
def changed(copy: Path) -> Path:
    """The copy with the three lines changed."""
    for path in (copy / "pyproject.toml", copy / MODULE):
        text = path.read_text(encoding="utf-8")
        for before, after in CHANGES.items():
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
    return copy


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Builds a source tree into a wheel and puts its content on the path."""

    def put_on_path(tree: Path) -> None:
        build_wheel(tree, tmp_path / "wheels")
        (wheel,) = (tmp_path / "wheels").iterdir()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(tmp_path / "packages")
        monkeypatch.syspath_prepend(str(tmp_path / "packages"))

    yield put_on_path
    sys.modules.pop("framework_example", None)


def numbered(text: str) -> list[str]:
    return re.findall(r"# ([1-9])\b", text)


def test_three_lines_are_numbered_and_the_readme_says_what_to_write_there() -> None:
    files = [(TEMPLATE / name).read_text(encoding="utf-8") for name in ("pyproject.toml", MODULE)]
    rows = re.findall(r"^\| ([1-9]) \|", (TEMPLATE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert [number for text in files for number in numbered(text)] == rows == ["1", "2", "3"]
    assert all(sum(text.count(before) for text in files) == 1 for before in CHANGES)


def run_its_tests(directory: Path) -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=directory,
        env={**variables, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_its_own_tests_pass_before_and_after_the_change(copy: Path, request: pytest.FixtureRequest) -> None:
    before = run_its_tests(copy)
    after = run_its_tests(request.getfixturevalue("changed"))

    assert before.returncode == 0, before.stdout + before.stderr
    assert after.returncode == 0, after.stdout + after.stderr


def test_its_own_tests_fail_when_the_filter_is_broken(copy: Path) -> None:
    module = copy / MODULE
    module.write_text(module.read_text(encoding="utf-8").replace("< self.hours", "<= self.hours"), encoding="utf-8")

    assert run_its_tests(copy).returncode == 1


def test_listed_by_its_new_name_it_refuses_in_the_quiet_hours(
    stage: Stage, changed: Path, install: Callable[[Path], None]
) -> None:
    install(changed)

    records = stage.play(
        plugins='[plugins]\nload = ["base", "night"]',
        filters=f'[[filters]]\nuse = "night-rest"\nfrom_hour = {NOON}',
    )

    (decision,) = records.of(Decision)
    assert (decision.component, decision.code) == ("night-rest", "quiet_hours")
    assert records.of(Intent) == []


def test_listed_by_its_new_name_it_lets_through_outside_of_them(
    stage: Stage, changed: Path, install: Callable[[Path], None]
) -> None:
    install(changed)

    records = stage.play(
        plugins='[plugins]\nload = ["base", "night"]',
        filters=f'[[filters]]\nuse = "night-rest"\nfrom_hour = {NOON + 1}\nhours = 23',
    )

    assert records.of(Decision)[-1].outcome == "opened"


@pytest.mark.parametrize("name", ["pyproject.toml", str(MODULE), "tests/test_it.py"])
def test_the_guide_shows_the_template_word_for_word(name: str) -> None:
    shown = fenced("toml") + fenced("python") + fenced("python fragment")

    assert (TEMPLATE / name).read_text(encoding="utf-8") in shown


def test_the_guide_and_the_readme_configure_it_alike() -> None:
    (readme,) = fenced("toml fragment", (TEMPLATE / "README.md").read_text(encoding="utf-8"))
    (guide,) = fenced("toml fragment", section("The five-minute path"))

    assert tomllib.loads(readme) == tomllib.loads(guide)


def test_the_guides_configuration_is_accepted_in_the_default_deployment(
    tmp_path: Path, copy: Path, install: Callable[[Path], None]
) -> None:
    install(copy)
    (tables,) = fenced("toml fragment", section("The five-minute path"))
    base = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = tmp_path / "config.toml"
    path.write_text(tomlkit.dumps({**base, **tomllib.loads(tables)}), encoding="utf-8")

    deployment = load_deployment(path, environ={})

    assert set(base["plugins"]["load"]) < set(deployment.load)
    assert [(each.use, each.component.name) for each in deployment.filters] == [("quiet-hours", "quiet-hours")]
