"""What is installed can be listed without importing any of it."""

from __future__ import annotations

import sys

from framework.registry import PluginInfo, installed_plugins
from tests.registry.packages import Site, sound_filter


def info(name: str, *listed: str) -> PluginInfo:
    (found,) = (each for each in installed_plugins(listed) if each.name == name)
    return found


def test_an_installed_plugin_is_described_without_being_imported(site: Site) -> None:
    module = site.add("quiet", sound_filter("hush"), distribution="acme-filters", version="2.5")

    assert info("quiet") == PluginInfo("quiet", "acme-filters", "2.5", ">=0.1", listed=False, problem=None)
    assert module not in sys.modules


def test_it_says_whether_the_deployment_lists_the_plugin(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))

    assert info("quiet", "quiet").listed
    assert not info("quiet", "loud").listed


def test_an_incompatible_plugin_says_why(site: Site) -> None:
    site.add("quiet", sound_filter("hush"), requires=["framework<0.1"])

    assert not info("quiet").compatible
    assert str(info("quiet").problem).startswith("requires framework <0.1, this is framework 0.1.0; install a version")


def test_a_name_claimed_twice_is_a_problem_of_both(site: Site) -> None:
    site.add("quiet", sound_filter("hush"), distribution="acme-one")
    site.add("quiet", sound_filter("hush"), distribution="acme-two")

    problems = {each.problem for each in installed_plugins() if each.name == "quiet"}

    assert problems == {
        "the plugin name 'quiet' is claimed by acme-one 1.0 and acme-two 1.0; uninstall all but one of them"
    }


def test_a_distribution_that_is_found_twice_on_the_path_counts_once(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))
    Site(site.directory / "again", site.monkeypatch).add("quiet", sound_filter("hush"))

    assert info("quiet").problem is None
