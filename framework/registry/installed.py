"""What is installed: read from the metadata of distributions, without importing any of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.metadata import Distribution, EntryPoint, entry_points

from attrs import frozen
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .. import __version__
from ..hookspecs import ENTRY_POINT_GROUP

KERNEL = "framework"


@frozen
class PluginInfo:
    """One installed plugin. `name` is what ``[plugins] load`` lists, `requires` the kernel versions it was made for.

    `problem` says why it could not be loaded, with the mend; None if nothing speaks against it before its import.
    """

    name: str
    distribution: str
    version: str
    requires: str
    listed: bool
    problem: str | None

    @property
    def compatible(self) -> bool:
        """Whether it may be imported at all."""
        return self.problem is None


@frozen
class Candidate:
    """An entry point of the group, with the distribution that claims it."""

    name: str
    entry_point: EntryPoint
    distribution: str
    version: str
    requirements: tuple[str, ...]

    @property
    def label(self) -> str:
        """``framework-filters 0.1.0``."""
        return f"{self.distribution} {self.version}"


def candidates() -> tuple[Candidate, ...]:
    """Every entry point of the group, by name. Of a distribution that is found twice on the path the first counts."""
    found = [_candidate(entry_point) for entry_point in entry_points(group=ENTRY_POINT_GROUP)]
    return tuple(sorted(found, key=lambda each: (each.name, each.distribution)))


def _candidate(entry_point: EntryPoint) -> Candidate:
    distribution: Distribution | None = entry_point.dist
    if distribution is None:
        return Candidate(entry_point.name, entry_point, "an unnamed distribution", "", ())
    return Candidate(
        entry_point.name,
        entry_point,
        distribution.metadata["Name"],
        distribution.metadata["Version"],
        tuple(distribution.requires or ()),
    )


def kernel_requirements(candidate: Candidate) -> tuple[Requirement, ...]:
    """What the distribution asks of the kernel. Extras and other environments' requirements don't count."""
    asked = []
    for text in candidate.requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and canonicalize_name(requirement.name) == KERNEL:
            asked.append(requirement)
    return tuple(asked)


def incompatibility(candidate: Candidate) -> str | None:
    """Why the plugin can't work with this kernel, and the mend; None if it says that it can."""
    asked = kernel_requirements(candidate)
    if not asked:
        return (
            f"does not say which {KERNEL} it was made for; its author has to add {KERNEL} with a version range to "
            "the dependencies"
        )
    for requirement in asked:
        if not requirement.specifier.contains(__version__, prereleases=True):
            return (
                f"requires {KERNEL} {requirement.specifier}, this is {KERNEL} {__version__}; install a version of "
                f"{candidate.distribution} made for {__version__}, or take it off [plugins] load"
            )
    return None


def doubly_claimed(name: str, claims: Sequence[Candidate]) -> str:
    """The message for a plugin name that more than one distribution claims."""
    owners = " and ".join(claim.label for claim in claims)
    return f"the plugin name {name!r} is claimed by {owners}; uninstall all but one of them"


def installed_plugins(listed: Collection[str] = ()) -> tuple[PluginInfo, ...]:
    """Every installed plugin, by name, without importing any. `listed` holds the names of ``[plugins] load``."""
    everything = candidates()
    infos = []
    for candidate in everything:
        claims = [other for other in everything if other.name == candidate.name]
        problem = doubly_claimed(candidate.name, claims) if len(claims) > 1 else incompatibility(candidate)
        infos.append(
            PluginInfo(
                name=candidate.name,
                distribution=candidate.distribution,
                version=candidate.version,
                requires=", ".join(str(each.specifier) or "any" for each in kernel_requirements(candidate)),
                listed=candidate.name in listed,
                problem=problem,
            )
        )
    return tuple(infos)
