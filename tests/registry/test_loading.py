"""The registry imports what is listed, and names the distribution and the mend when it can't."""

from __future__ import annotations

import sys

import pytest

from framework import PluginError
from framework.registry import Kind, Registry
from tests.registry.packages import Site, sound_filter


def lines(*names: str) -> list[str]:
    return [problem.message for problem in Registry.attempt(names).problems]


def only_line(*names: str) -> str:
    (line,) = lines(*names)
    return line


def test_the_components_of_a_listed_plugin_can_be_used(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))

    registry = Registry.load(["quiet"])

    assert registry.names(Kind.FILTERS) == ("hush",)
    assert registry.component(Kind.FILTERS, "hush").__name__ == "HushFilter"
    assert registry.names(Kind.RISK) == ()


def test_a_plugin_that_is_listed_twice_is_loaded_once(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))

    assert Registry.load(["quiet", "quiet"]).names(Kind.FILTERS) == ("hush",)


def test_a_component_tells_who_provides_it(site: Site) -> None:
    site.add("quiet", sound_filter("hush"), distribution="acme-filters", version="2.5")

    provider = Registry.load(["quiet"]).provider(Kind.FILTERS, "hush")

    assert (provider.plugin, str(provider)) == ("quiet", "acme-filters 2.5")


def test_a_package_that_is_not_listed_is_never_imported(site: Site) -> None:
    module = site.add("quiet", sound_filter("hush"))

    Registry.load([])

    assert module not in sys.modules


def test_registries_know_nothing_of_each_other(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))

    Registry.load(["quiet"])

    assert Registry.load([]).names(Kind.FILTERS) == ()
    assert Registry.load(["quiet"]).names(Kind.FILTERS) == ("hush",)


def test_commands_of_listed_plugins_are_offered(site: Site) -> None:
    source = "import click, framework\n@framework.hookimpl\ndef commands():\n    return [click.Command('dance')]\n"
    site.add("party", source)

    assert [command.name for command in Registry.load(["party"]).commands()] == ["dance"]


def test_a_missing_plugin_is_named_with_the_one_that_was_meant(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))

    assert only_line("quite") == (
        "plugin 'quite' is listed in [plugins] load, but not installed; did you mean 'quiet'? "
        "Otherwise install the distribution that offers it with pip, or take it off the list"
    )


def test_an_incompatible_plugin_is_refused_before_it_is_imported(site: Site) -> None:
    module = site.add("quiet", "raise RuntimeError('imported')", requires=["framework>=99"])

    assert only_line("quiet") == (
        "plugin 'quiet' (acme-quiet 1.0) requires framework >=99, this is framework 0.1.0; install a version of "
        "acme-quiet made for 0.1.0, or take it off [plugins] load"
    )
    assert module not in sys.modules


def test_a_plugin_that_does_not_say_which_kernel_it_is_for_is_refused(site: Site) -> None:
    module = site.add("quiet", sound_filter("hush"), requires=["attrs>=25"])

    assert "plugin 'quiet' (acme-quiet 1.0) does not say which framework it was made for" in only_line("quiet")
    assert module not in sys.modules


def test_what_an_extra_requires_of_the_kernel_does_not_count(site: Site) -> None:
    site.add("quiet", sound_filter("hush"), requires=["framework>=0.1", 'framework>=99; extra == "future"'])

    assert lines("quiet") == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import a_module_that_does_not_exist", "ModuleNotFoundError: No module named 'a_module_that_does_not_exist'"),
        ("def broken(:", "SyntaxError: "),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
    ],
)
def test_a_plugin_that_can_not_be_imported_is_one_line_with_its_distribution_and_the_mend(
    site: Site, source: str, reason: str
) -> None:
    site.add("quiet", source)

    line = only_line("quiet")

    assert line.startswith(f"plugin 'quiet' (acme-quiet 1.0) can't be imported: {reason}")
    assert line.endswith("; reinstall acme-quiet, or take it off [plugins] load")
    assert "\n" not in line


def test_a_typo_in_a_hook_is_an_error(site: Site) -> None:
    site.add("quiet", sound_filter("hush").replace("def filters", "def filter_s"))

    assert only_line("quiet") == (
        "plugin 'quiet' (acme-quiet 1.0) implements a hook that does not exist, 'filter_s'; "
        "did its author mean 'filters'?"
    )


def test_a_hook_that_asks_for_arguments_is_an_error(site: Site) -> None:
    site.add("quiet", sound_filter("hush").replace("def filters()", "def filters(config)"))

    assert only_line("quiet").startswith("plugin 'quiet' (acme-quiet 1.0) can't be registered: PluginValidationError: ")


def test_a_forgotten_hookimpl_is_an_error(site: Site) -> None:
    site.add("quiet", sound_filter("hush").replace("@hookimpl", ""))

    assert only_line("quiet") == (
        "plugin 'quiet' (acme-quiet 1.0) offers nothing: its function 'filters' is not decorated with @hookimpl"
    )


def test_an_empty_plugin_is_an_error(site: Site) -> None:
    site.add("quiet", "")

    assert "plugin 'quiet' (acme-quiet 1.0) offers nothing: its entry point must name a module" in only_line("quiet")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("HushFilter", "returns type from its hook 'filters', which must return a list"),
        ("None", "returns NoneType from its hook 'filters', which must return a list"),
        ("[HushFilter()]", "offers the filter HushFilter(), which is no class"),
        ("1 / 0", "fails in its hook 'filters': ZeroDivisionError: division by zero; hooks return classes and do no"),
    ],
)
def test_a_hook_that_does_not_return_classes_is_an_error(site: Site, answer: str, reason: str) -> None:
    site.add("quiet", sound_filter("hush").replace("return [HushFilter]", f"return {answer}"))

    assert reason in only_line("quiet")


def test_a_command_that_is_no_click_command_is_an_error(site: Site) -> None:
    site.add("party", "import framework\n@framework.hookimpl\ndef commands():\n    return [print]\n")

    assert only_line("party").endswith("offers the command print, which is no click command with a name")


def test_a_name_that_is_taken_names_both_distributions(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))
    site.add("loud", sound_filter("hush"), version="3.1")

    assert only_line("quiet", "loud") == (
        "plugin 'loud' (acme-loud 3.1) claims the name 'hush' of a filter ([[filters]]), which acme-quiet 1.0 has "
        "taken; take one of the two off [plugins] load"
    )


def test_the_same_name_in_two_kinds_is_no_conflict(site: Site) -> None:
    site.add("quiet", sound_filter("hush"))
    rule = (
        sound_filter("hush")
        .replace("needs: ClassVar[frozenset[Need]] = frozenset()", "")
        .replace("def filters", "def risk_rules")
    )
    site.add("loud", rule)

    assert lines("quiet", "loud") == []


def test_an_entry_point_that_two_distributions_claim_names_both(site: Site) -> None:
    first = site.add("quiet", sound_filter("hush"), distribution="acme-one")
    second = site.add("quiet", sound_filter("hush"), distribution="acme-two")

    assert only_line("quiet") == (
        "the plugin name 'quiet' is claimed by acme-one 1.0 and acme-two 1.0; uninstall all but one of them"
    )
    assert not {first, second} & sys.modules.keys()


def test_the_problems_of_all_plugins_are_told_at_once_and_hide_no_sound_one(site: Site) -> None:
    site.add("broken", "import nothing_of_that_name")
    site.add("future", sound_filter("later"), requires=["framework>=99"])
    site.add("quiet", sound_filter("hush"))

    registry = Registry.attempt(["broken", "absent", "future", "quiet"])

    assert [problem.plugin for problem in registry.problems] == ["broken", "absent", "future"]
    assert registry.names(Kind.FILTERS) == ("hush",)


def test_loading_raises_one_error_with_a_line_for_each_problem(site: Site) -> None:
    site.add("broken", "import nothing_of_that_name")
    site.add("future", sound_filter("later"), requires=["framework>=99"])

    with pytest.raises(PluginError) as raised:
        Registry.load(["broken", "future"])

    assert raised.value.distribution == "acme-broken, acme-future"
    assert len(str(raised.value).splitlines()) == 2
    assert raised.value.exit_status == 2
