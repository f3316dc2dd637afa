"""A package from outside has the rights of the shipped ones: listed it is loaded, enabled it acts, and no more."""

from __future__ import annotations

import pytest

from tests.third_party.conftest import ROOT, Installation

NAY = """
[[filters]]
use = "nay"
words = "not today"
"""

LATER = '\n[[filters]]\nuse = "later"\n'


def outcomes(installation: Installation) -> dict[str, int]:
    """How many of the recording's signals ended how."""
    done = installation.run()
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = {}
    for signal in installation.json("signals"):
        counts[signal["outcome"]] = counts.get(signal["outcome"], 0) + 1
    return counts


def test_the_kernel_comes_from_its_wheel_and_not_from_the_checkout(installation: Installation) -> None:
    done = installation("python", "-c", "import framework; print(framework.__file__)")

    assert done.stdout.startswith(str(installation.environment))
    assert not done.stdout.startswith(str(ROOT))


def test_listed_and_enabled_it_acts(installation: Installation) -> None:
    installation.configure("nay", more=NAY)

    counts = outcomes(installation)

    refused = [each for each in installation.json("signals") if each["code"] == "nay"]
    assert refused
    assert {(each["component"], each["message"]) for each in refused} == {("nay", "not today")}
    assert "opened" not in counts


def test_listed_and_disabled_it_does_not_act(installation: Installation) -> None:
    installation.configure("nay", more=NAY + "enabled = false\n")

    assert outcomes(installation)["opened"] == 8
    assert installation.imported() == {"acme_nay"}


def test_installed_but_not_listed_it_is_not_even_imported(installation: Installation) -> None:
    installation.configure()

    assert outcomes(installation)["opened"] == 8
    assert installation.imported() == set()


def test_configured_but_not_listed_it_stops_the_start_without_being_imported(installation: Installation) -> None:
    installation.configure(more=NAY)

    done = installation.run()

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert '"nay" is an unknown filter' in line
    assert line.endswith("(is its plugin listed in [plugins] load?)")
    assert installation.imported() == set()


@pytest.mark.parametrize(
    ("plugin", "what", "mend"),
    [
        ("broken", "can't be imported: ModuleNotFoundError: No module named 'a_module_that_nobody_has'", "reinstall"),
        ("future", "requires framework >=99, this is framework 0.1.0", "install a version of acme-future made for"),
        (
            "copycat",
            "claims the name 'spread' of a filter ([[filters]]), which framework-filters 0.1.0 has taken",
            "take one of the two off [plugins] load",
        ),
    ],
)
def test_one_that_can_not_be_used_stops_the_start_and_is_named_with_the_mend(
    installation: Installation, plugin: str, what: str, mend: str
) -> None:
    installation.configure()
    text = installation.config.read_text()
    installation.config.write_text(
        text.replace('"execution", "protection"]', f'"execution", "protection", "{plugin}"]')
    )

    done = installation.run()

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"plugin '{plugin}' (acme-{plugin} 1.2) {what}" in line
    assert mend in line
    assert not installation.state.exists()


def test_an_incompatible_one_is_refused_before_it_is_imported(installation: Installation) -> None:
    installation.configure("future", more=LATER)

    assert installation.run().returncode == 2
    assert installation.imported() == set()


def test_all_that_can_not_be_used_are_told_at_once(installation: Installation) -> None:
    installation.configure("broken", "future", more=LATER)

    done = installation.run()

    assert len(done.stderr.splitlines()) == 2
    assert "acme-broken" in done.stderr
    assert "acme-future" in done.stderr


def test_it_is_listed_among_the_installed_without_being_imported(installation: Installation) -> None:
    installation.configure()

    assert "acme-nay" in str(installation.json("plugins"))
    assert installation.imported() == set()
