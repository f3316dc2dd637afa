"""A class that does not do what its kind must do is refused with what it lacks."""

from __future__ import annotations

import pytest

from framework.registry import KINDS, Registry
from framework.registry.inspection import members
from tests.registry.packages import Site, sound_filter

SOUND = sound_filter("hush")


def flaw(site: Site, source: str) -> str:
    site.add("quiet", source)
    (problem,) = Registry.attempt(["quiet"]).problems
    return problem.message.removeprefix("plugin 'quiet' (acme-quiet 1.0) offers the filter HushFilter, which ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name: ClassVar[str] = "hush"', "", "lacks `name: ClassVar[str]` of lower-case"),
        ('"hush"', '"Hush It"', "lacks `name: ClassVar[str]` of lower-case"),
        ('"""Lets everything through."""', "", "has no docstring, which is its help text"),
        ("@frozen", "", "is not decorated with attrs' @define or @frozen, so it has no settings"),
        ("needs: ClassVar[frozenset[Need]] = frozenset()", "", "lacks `needs`"),
        ("def check(self, signal, market)", "def judge(self, signal, market)", "lacks `check`"),
        ("def check(self, signal, market)", "def check(self, signal)", "must define `check(self, signal, market)`"),
        (
            "    def check",
            "    async def check",
            "must not define `check` with `async def`: it is called synchronously",
        ),
        (
            "def check(self, signal, market):\n        return Passed()",
            "check: int = 5",
            "has a `check` that is no method",
        ),
        ("    def check", "    limit: Limit = 5\n    def check", "has a setting whose type can't be resolved"),
        ("    def check", "    use: str = ''\n    def check", "has a setting named `use`, which is the kernel's own"),
    ],
)
def test_each_flaw_of_a_component_has_its_own_words(site: Site, old: str, new: str, expected: str) -> None:
    source = "from __future__ import annotations\n" + SOUND
    assert old in source

    assert flaw(site, source.replace(old, new)).startswith(expected)


def test_a_setting_without_a_type_is_a_flaw(site: Site) -> None:
    source = (
        SOUND.replace("import frozen", "import field, frozen")
        .replace("    def check", "    limit = field(default=1)\n    def check")
        .replace("@frozen", "@frozen(auto_attribs=False)")
    )

    assert flaw(site, source) == "has a setting without a type: limit"


def test_a_method_that_must_be_async_is_asked_to_be(site: Site) -> None:
    source = SOUND.replace("def filters", "def observers").replace(
        "check(self, signal, market)", "observe(self, record)"
    )
    site.add("quiet", source)

    (problem,) = Registry.attempt(["quiet"]).problems

    assert problem.message.endswith("which must define `observe` with `async def`")


def test_all_flaws_of_a_component_are_told(site: Site) -> None:
    source = SOUND.replace('"""Lets everything through."""', "").replace("(self, signal, market)", "(self)")
    site.add("quiet", source)

    assert len(Registry.attempt(["quiet"]).problems) == 2


def test_needs_may_be_a_property_and_a_class_attribute(site: Site) -> None:
    source = SOUND.replace(
        "    needs: ClassVar[frozenset[Need]] = frozenset()", "    @property\n    def needs(self): return frozenset()"
    )
    site.add("quiet", source)

    assert Registry.attempt(["quiet"]).problems == ()


def test_every_kind_asks_for_the_public_members_of_its_protocol() -> None:
    asked = {kind.value: members(spec.protocol) for kind, spec in KINDS.items()}

    assert asked["filters"] == ["check", "name", "needs"]
    assert asked["sizing"] == ["name", "size"]
    assert asked["risk"] == ["check", "name"]
    assert asked["execution"] == ["after", "first", "name"]
    assert asked["protection"] == ["name", "on_price", "start", "state_type"]
    assert asked["signals"] == ["name", "run", "timeline"]
    assert asked["observers"] == ["name", "observe"]
    assert {"capabilities", "place_entry", "move_stop", "watch"} <= set(asked["exchanges"])
