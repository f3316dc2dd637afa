"""A claim keeps out everybody else on this machine, and is over when its holder is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from framework_venue.claim import WAITING, Claim, ClaimedError

HOLDER = """
import sys
from framework_venue.claim import Claim
claim = Claim.made(*sys.argv[1:])
print("held", flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nobody is kept out on other systems")


@pytest.fixture
def words(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Nobody else's: tests may run beside each other."""
    return (f"{request.node.name} {os.getpid()}", "key")


def test_a_second_claim_is_refused_and_says_which_process_holds_the_first(words: tuple[str, str]) -> None:
    first = Claim.made(*words)
    with pytest.raises(ClaimedError, match=f"^process {os.getpid()}$"):
        Claim.made(*words)
    first.release()


def test_who_lets_go_makes_room_and_may_do_so_twice(words: tuple[str, str]) -> None:
    first = Claim.made(*words)
    first.release()
    first.release()
    Claim.made(*words).release()


def test_accounts_with_other_keys_or_venues_are_claimed_beside_it(words: tuple[str, str]) -> None:
    claims = [Claim.made(*words), Claim.made(words[0], "another key"), Claim.made("another", *words)]
    for claim in claims:
        claim.release()


def test_a_holder_that_is_killed_holds_nothing_any_more(words: tuple[str, str]) -> None:
    command = [sys.executable, "-c", HOLDER, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ClaimedError, match=f"^process {holder.pid}$"):
            Claim.made(*words)
        holder.kill()
        holder.wait()
    Claim.made(*words).release()


def test_who_is_refused_again_and_again_is_refused_even_when_nobody_learns_any_more_by_whom(
    words: tuple[str, str],
) -> None:
    first = Claim.made(*words)
    told = set()
    for _ in range(WAITING + 3):
        with pytest.raises(ClaimedError) as caught:
            Claim.made(*words)
        told.add(str(caught.value))
    assert told == {f"process {os.getpid()}", "another process"}
    first.release()
