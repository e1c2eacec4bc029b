"""Rates, and who needs a token, without a server."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.host.tokens import TokenFile
from adapters.tokens import Scope
from api.runtime.access import MAX_CALLERS, Access, Auth, Buckets, is_loopback
from api.runtime.errors import Forbidden, TooManyRequests, Unauthenticated
from domain.errors import NotFound
from tests.support.builders import NOON
from tests.support.clock import FakeClock


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "data")


def test_each_token_has_its_own_rate() -> None:
    clock = FakeClock()
    buckets = Buckets(10.0, clock.monotonic)
    for _ in range(20):
        buckets.consume("one")
    with pytest.raises(TooManyRequests, match="one may make 10 requests per second") as refused:
        buckets.consume("one")
    assert refused.value.retry_after == pytest.approx(0.1)
    buckets.consume("another")

    clock.advance(0.1)

    buckets.consume("one")


@pytest.mark.parametrize("idle", [2.0, 60.0, 1e9])
def test_after_any_idle_time_only_the_burst_passes_each_time_and_the_others_have_theirs(idle: float) -> None:
    clock = FakeClock()
    buckets = Buckets(10.0, clock.monotonic)

    for _ in range(5):
        clock.advance(idle)
        assert admitted(buckets, "one", 100) == 20
        assert admitted(buckets, "another", 20) == 20


def admitted(buckets: Buckets, who: str, requests: int) -> int:
    """Return how many of so many requests at once are admitted."""
    count = 0
    for _ in range(requests):
        with suppress(TooManyRequests):
            buckets.consume(who)
            count += 1
    return count


def test_a_rate_of_zero_means_no_limit() -> None:
    buckets = Buckets(0, FakeClock().monotonic)
    for _ in range(10_000):
        buckets.consume("one")


def access(tokens: TokenFile, auth: Auth | None, *, on_loopback: bool = True) -> Access:
    return Access(tokens, Buckets(0, time.monotonic), auth, on_loopback=on_loopback)


def test_where_no_token_was_ever_made_only_loopback_is_open(tokens: TokenFile) -> None:
    assert access(tokens, None).is_open
    assert not access(tokens, None, on_loopback=False).is_open
    assert not access(tokens, "tokens").is_open


def test_revoking_the_last_token_does_not_open_the_service(tokens: TokenFile) -> None:
    tokens.create("mara", Scope.ADMIN, NOON)
    tokens.revoke("mara")

    assert not access(tokens, None).is_open
    with pytest.raises(Unauthenticated):
        access(tokens, None).admit(access(tokens, None).caller(None), Scope.READ)
    assert access(tokens, "none").is_open
    assert not access(tokens, "none", on_loopback=False).is_open


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback_addresses_are_recognised(host: str, *, local: bool) -> None:
    assert is_loopback(host) is local


def test_revoking_an_unknown_token_leaves_the_service_open(tokens: TokenFile) -> None:
    with pytest.raises(NotFound):
        tokens.revoke("nobody")

    assert Access(tokens, Buckets(0, time.monotonic), None, on_loopback=True).is_open


def test_requests_without_a_valid_token_are_limited_per_address(tokens: TokenFile) -> None:
    clock = FakeClock()
    limited = Access(tokens, Buckets(5.0, clock.monotonic), None, on_loopback=True)
    for _ in range(10):
        assert limited.admit(limited.caller(None), Scope.ADMIN, "127.0.0.1").name == "local"
    with pytest.raises(TooManyRequests, match=r"the address 127\.0\.0\.1 may make 5 requests per second"):
        limited.admit(limited.caller(None), Scope.READ, "127.0.0.1")
    assert limited.admit(limited.caller(None), Scope.READ, "127.0.0.2").name == "local"

    secret, other = (tokens.create(name, Scope.READ, NOON) for name in ("mara", "adam"))
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            limited.admit(limited.caller("Bearer jr_guess"), Scope.READ, "127.0.0.3")
    with pytest.raises(TooManyRequests):
        limited.admit(limited.caller("Bearer jr_guess"), Scope.READ, "127.0.0.3")
    # Guesses do not use up the rate of a valid token, at the same address or another.
    assert limited.admit(limited.caller(f"Bearer {secret}"), Scope.READ, "127.0.0.3").name == "mara"
    assert limited.admit(limited.caller(f"Bearer {other}"), Scope.READ, "127.0.0.3").name == "adam"

    clock.advance(0.25)
    with pytest.raises(Unauthenticated):
        limited.admit(limited.caller("Bearer jr_guess"), Scope.READ, "127.0.0.3")


def test_many_addresses_do_not_fill_the_memory() -> None:
    buckets = Buckets(10.0, FakeClock().monotonic)
    for n in range(3 * MAX_CALLERS):
        buckets.consume(f"the address {n}")

    assert len(buckets._levels) <= MAX_CALLERS


def test_one_caller_too_many_leaves_the_rates_of_the_others_as_they_were() -> None:
    buckets = Buckets(10.0, FakeClock().monotonic)
    buckets.consume("the first")
    for _ in range(20):
        buckets.consume("one")

    for n in range(MAX_CALLERS - 1):
        buckets.consume(f"the address {n}")

    with pytest.raises(TooManyRequests):
        buckets.consume("one")


def test_of_all_callers_the_one_that_was_idle_longest_gets_a_new_rate_and_not_the_one_that_came_first() -> None:
    buckets = Buckets(10.0, FakeClock().monotonic)
    for _ in range(19):
        buckets.consume("the first")
    for n in range(MAX_CALLERS - 1):
        buckets.consume(f"the address {n}")

    buckets.consume("the first")
    buckets.consume("one too many")

    with pytest.raises(TooManyRequests):
        buckets.consume("the first")


def test_a_refused_request_costs_nothing() -> None:
    clock = FakeClock()
    buckets = Buckets(8.0, clock.monotonic)
    for _ in range(16):
        buckets.consume("one")
    for _ in range(10):
        clock.advance(1 / 16)
        with pytest.raises(TooManyRequests):
            buckets.consume("one")
        clock.advance(1 / 16)
        buckets.consume("one")


def test_a_token_is_a_caller_with_its_own_name_and_scope_and_anything_else_is_none(tokens: TokenFile) -> None:
    secret = tokens.create("mara", Scope.OPERATE, NOON)
    guard = access(tokens, None)

    for authorization in (f"Bearer {secret}", f"bearer  {secret} "):
        caller = guard.caller(authorization)
        assert caller is not None
        assert (caller.name, caller.scope) == ("mara", Scope.OPERATE)
    for unknown in (
        None,
        "",
        secret,
        f"Basic {secret}",
        f"Token {secret}",
        "Bearer",
        f"Bearer {secret}x",
        f"Bearer x {secret}",
    ):
        assert guard.caller(unknown) is None, unknown


def test_a_scope_that_is_too_small_is_refused_and_costs_its_token_and_no_address(tokens: TokenFile) -> None:
    secret = tokens.create("mara", Scope.READ, NOON)
    guard = Access(tokens, Buckets(1.0, FakeClock().monotonic), None, on_loopback=True)

    for _ in range(2):
        with pytest.raises(Forbidden, match="the token 'mara' has the scope read; this needs operate"):
            guard.admit(guard.caller(f"Bearer {secret}"), Scope.OPERATE, "127.0.0.1")
    with pytest.raises(TooManyRequests, match="mara may make 1 requests per second"):
        guard.admit(guard.caller(f"Bearer {secret}"), Scope.READ, "127.0.0.1")

    with pytest.raises(Unauthenticated):
        guard.admit(guard.caller(None), Scope.READ, "127.0.0.1")


@pytest.mark.parametrize(("per_second", "burst"), [(0.25, 1), (0.5, 1), (1.0, 2), (4.0, 8)])
def test_a_burst_is_of_two_seconds_and_at_least_one_request(per_second: float, burst: int) -> None:
    clock = FakeClock()
    buckets = Buckets(per_second, clock.monotonic)

    assert admitted(buckets, "one", 10) == burst
    clock.advance(1 / per_second)
    assert admitted(buckets, "one", 10) == 1
    clock.advance(1000)
    assert admitted(buckets, "one", 10) == burst
