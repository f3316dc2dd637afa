"""A configuration without mistakes becomes typed settings and components that are ready."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from framework import PluginError
from framework.config import FrameworkSettings, read_plugins_list, read_state_dir
from framework.errors import ConfigError
from framework.registry import Kind
from tests.config.components import AtOnce, Sizer, Source, Stop, TypedFilter, Venue, Watcher
from tests.config.conftest import SAMPLE, Desk


def test_each_section_becomes_its_component(desk: Desk) -> None:
    deployment = desk.load()

    (account,) = deployment.exchanges
    assert (account.name, account.use, account.enabled, account.max_positions_per_wave) == ("main", "venue", True, 4)
    assert isinstance(account.component, Venue)
    assert [each.component for each in deployment.sources] == [Source()]
    assert [each.component for each in deployment.filters] == [TypedFilter()]
    assert deployment.sizer.component == Sizer(position_usd=Decimal(6))
    assert [each.use for each in deployment.risk] == ["rule"]
    assert deployment.execution.component == AtOnce()
    assert [each.component for each in deployment.protections] == [Stop()]
    assert [each.component for each in deployment.observers] == [Watcher()]
    assert deployment.load == ("sample",)
    assert deployment.registry.names(Kind.SIZING) == ("one",)


def test_a_component_knows_its_place_in_the_file(desk: Desk) -> None:
    deployment = desk.load()

    assert deployment.filters[0].where == f"{desk.path}:14 [filters.typed]"
    assert deployment.exchanges[0].where == f"{desk.path}:7 [exchanges.main]"


def test_the_kernels_own_settings_have_defaults(desk: Desk) -> None:
    deployment = desk.load(SAMPLE.replace('[framework]\nstate = "var"\n', ""))

    assert deployment.framework == FrameworkSettings(
        state="var",
        max_quote_age_s=30,
        data_timeout_s=10,
        entry_deadline_s=30,
        protect_within_s=3,
        stop_tries=3,
        wave_settle_s=2,
        start_timeout_s=60,
        signal_may_set=(),
        wave_deadline_s=30,
        max_signal_age_s=3600,
    )


def test_the_kernels_own_settings_are_read(desk: Desk) -> None:
    text = SAMPLE.replace(
        'state = "var"',
        'state = "data"\nmax_quote_age_s = 1\ndata_timeout_s = 2\nentry_deadline_s = 3\nprotect_within_s = 4\n'
        'stop_tries = 5\nwave_settle_s = 6\nstart_timeout_s = 7\nsignal_may_set = ["stop", "min_scores"]\n'
        'reconcile_every_s = 8\nforeign_positions = "adopt"\nwave_deadline_s = 9\nmax_signal_age_s = 10',
    )

    expected = FrameworkSettings("data", 1, 2, 3, 4, 5, 6, 7, ("stop", "min_scores"), 8, "adopt", 9, 10)
    assert desk.load(text).framework == expected


def test_the_state_lives_beside_the_configuration_and_need_not_exist(desk: Desk) -> None:
    assert desk.load().state == desk.directory / "var"


def test_a_state_given_on_the_command_line_starts_from_the_working_directory(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.directory.parent)

    assert desk.load(state=Path("elsewhere")).state == desk.directory.parent / "elsewhere"


def test_the_order_of_the_file_is_kept_and_a_filter_may_be_used_twice(desk: Desk) -> None:
    text = desk.filter_with('title = "first"\n[[filters]]\nuse = "typed"\ntitle = "second"')

    titles = [each.component.title for each in desk.load(text).filters if isinstance(each.component, TypedFilter)]

    assert titles == ["first", "second"]


def test_several_protections_of_one_kind_have_names_of_their_own_that_a_disabled_one_does_not_shift(desk: Desk) -> None:
    off, on = '[[protection]]\nuse = "stop"\nenabled = false\n', '[[protection]]\nuse = "stop"\n'

    deployment = desk.load(SAMPLE + "\n" + off + on)

    assert [each.name for each in deployment.protectors] == ["stop", "stop-3"]
    assert set(deployment.protection_states) == {"stop", "stop-2", "stop-3"}


def test_a_disabled_component_keeps_its_place_but_is_not_among_the_enabled(desk: Desk) -> None:
    more = """
[exchanges.spare]
use = "venue"
enabled = false
max_positions_per_wave = 0
[[signals]]
use = "source"
enabled = false
[[filters]]
use = "typed"
enabled = false
[[risk]]
use = "rule"
enabled = false
[[protection]]
use = "stop"
enabled = false
[[observers]]
use = "watcher"
enabled = false
"""
    deployment = desk.load(SAMPLE + more)

    everything = (
        (deployment.exchanges, deployment.enabled_exchanges),
        (deployment.sources, deployment.enabled_sources),
        (deployment.filters, deployment.enabled_filters),
        (deployment.risk, deployment.enabled_risk),
        (deployment.protections, deployment.enabled_protections),
        (deployment.observers, deployment.enabled_observers),
    )
    for configured, enabled in everything:
        assert len(configured) == 2
        assert [each.enabled for each in enabled] == [True]


def test_the_digest_follows_the_values_and_not_how_they_are_written(desk: Desk) -> None:
    digest = desk.load().digest

    assert len(digest) == 64
    assert desk.load("# a remark\n" + SAMPLE).digest == digest
    assert desk.load(SAMPLE, 'sizing.position_usd="6"').digest == digest
    assert desk.load(SAMPLE.replace('"6"', '"7"')).digest != digest
    assert desk.load(SAMPLE, "sizing.position_usd=7").digest != digest


def test_the_digest_does_not_depend_on_a_secrets_value(desk: Desk) -> None:
    text = desk.exchange_with('api_key = { env = "KEY" }')

    desk.environ["KEY"] = "one"
    first = desk.load(text).digest
    desk.environ["KEY"] = "two"

    assert desk.load(text).digest == first


def test_when_plugins_alone_are_wrong_the_error_is_theirs(desk: Desk) -> None:
    with pytest.raises(PluginError, match="plugin 'absent' is listed"):
        desk.load(SAMPLE.replace('["sample"]', '["sample", "absent"]'))


def test_the_list_of_plugins_can_be_read_alone(desk: Desk) -> None:
    desk.path.write_text('[plugins]\nload = ["one", "two"]\n[sizing]\nuse = "nobody knows"\n')

    assert read_plugins_list(desk.path) == ("one", "two")


def test_a_wrong_list_of_plugins_is_told(desk: Desk) -> None:
    desk.path.write_text("[plugins]\nload = [1]\n")

    with pytest.raises(ConfigError, match=r"config.toml:2 \[plugins\] load.0: expected text, got 1"):
        read_plugins_list(desk.path)


def test_the_state_directory_can_be_read_alone(desk: Desk) -> None:
    desk.path.write_text('[framework]\nstate = "data"\n[sizing]\nuse = "nobody knows"\n')

    assert read_state_dir(desk.path) == desk.directory / "data"
