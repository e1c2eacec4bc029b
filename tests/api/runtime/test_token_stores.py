"""Tokens in the database of the log: one place for all instances, and nobody loses access on the way there."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from adapters.event_log.postgres_setup import set_up
from adapters.event_log.postgres_store import database_of
from adapters.host.clock import SystemClock
from adapters.host.tokens import TokenFile
from adapters.tokens import Scope, Tokens
from api.http.listening import check_access
from api.runtime.access import is_open
from api.runtime.settings import Settings
from api.runtime.token_stores import open_tokens, token_store
from domain.errors import InvalidInput, NotFound, StorageUnavailable
from tests.support import postgres
from tests.support.builders import NOON
from tests.support.harness import RecordingLog
from tests.support.postgres_relay import PostgresRelay

TRIES = 500
"""How often something is looked at until it must be so."""

Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Configure]:
    """Return a function that makes the settings of an instance on the same log, with a data directory of its own."""
    with postgres.new_schema() as schema:

        def settings(name: str, url: str = postgres.SERVER, **other: Any) -> Settings:
            (tmp_path / name).mkdir(exist_ok=True)
            return Settings(data_dir=tmp_path / name, database_url=url, database_schema=schema, **other)

        set_up(database_of(postgres.SERVER, schema))
        yield settings


@contextmanager
def opened(settings: Settings, log: RecordingLog | None = None) -> Iterator[Tokens]:
    """Open the tokens as a start does."""
    with closing(open_tokens(settings, log or RecordingLog())) as tokens:
        yield tokens


@asynccontextmanager
async def running(settings: Settings, log: RecordingLog | None = None) -> AsyncIterator[Tokens]:
    """Open the tokens, and keep them up to date as an instance does."""
    with opened(settings, log) as tokens:
        keeping = asyncio.ensure_future(tokens.keep(SystemClock()))
        yield tokens
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def until(condition: Callable[[], Any]) -> None:
    for _ in range(TRIES):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it has not become so")


def names(tokens: Tokens) -> list[str]:
    return [token.name for token in tokens.all()]


async def test_a_token_is_accepted_by_every_running_instance_until_it_is_revoked_and_others_are_not_affected(
    configure: Configure,
) -> None:
    store = token_store(configure("a"))
    async with running(configure("a")) as a, running(configure("b")) as b:
        kept, secret = (store.create(name, Scope.OPERATE, NOON) for name in ("tom", "mara"))
        for instance in (a, b):
            await until(lambda one=instance: one.find(secret))  # type: ignore[misc]
            assert names(instance) == ["mara", "tom"]
            assert instance.find(secret) == store.all()[0]
            assert instance.find(f"{secret}x") is None

        store.revoke("mara")

        for instance in (a, b):
            await until(lambda one=instance: not one.find(secret))  # type: ignore[misc]
            assert instance.find(kept) is not None


async def test_while_the_database_is_away_known_tokens_are_accepted_and_it_is_told_once(configure: Configure) -> None:
    store, log = token_store(configure("a")), RecordingLog()
    secret = store.create("mara", Scope.READ, NOON)
    with closing(PostgresRelay(postgres.port())) as relay:
        async with running(configure("a", postgres.url_to(relay.port)), log) as tokens:
            relay.go_silent()
            await until(lambda: "tokens_not_read" in log.events)
            later = store.create("tom", Scope.READ, NOON)
            assert tokens.find(secret) is not None
            assert tokens.find(later) is None

            relay.resume()

            await until(lambda: tokens.find(later))
            assert log.events == ["tokens_not_read"]


def test_a_file_is_adopted_once_and_a_token_that_is_revoked_later_does_not_come_back_with_any_copy_of_it(
    configure: Configure,
) -> None:
    here, there, log = configure("a"), configure("b"), RecordingLog()
    secrets = [TokenFile(here.data_dir).create(name, Scope.READ, NOON) for name in ("mara", "tom")]
    for name in ("tokens.json", "tokens.made"):
        shutil.copy(here.data_dir / name, there.data_dir)

    with opened(here, log) as tokens:
        assert [token.name for secret in secrets if (token := tokens.find(secret))] == ["mara", "tom"]
    assert log.events == ["tokens_adopted"]
    assert {path.name for path in here.data_dir.iterdir()} == {"tokens.json.adopted", "tokens.made", "tokens.lock"}

    token_store(here).revoke("mara")
    shutil.copy(here.data_dir / "tokens.json.adopted", here.data_dir / "tokens.json")
    for settings in (there, here, here):
        with opened(settings) as tokens:
            assert [tokens.find(secret) is not None for secret in secrets] == [False, True]


def test_two_instances_that_are_started_at_once_adopt_the_tokens_of_both(configure: Configure) -> None:
    a, b = configure("a"), configure("b")
    shared = [TokenFile(a.data_dir).create(f"shared-{n}", Scope.READ, NOON) for n in range(20)]
    shutil.copy(a.data_dir / "tokens.json", b.data_dir)
    own = [TokenFile(one.data_dir).create("mara", Scope.OPERATE, NOON) for one in (a, b)]
    together = Barrier(2)

    def start(settings: Settings) -> None:
        together.wait()
        with opened(settings):
            pass

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(start, (a, b)))

    with opened(a) as tokens:
        assert all(map(tokens.find, [*shared, *own]))
        assert names(tokens).count("mara") == 2, "tokens of one name were created on each instance"
    token_store(a).revoke("mara")
    with opened(b) as tokens:
        assert list(map(tokens.find, own)) == [None, None]


def test_a_file_that_cannot_be_read_ends_the_start_and_stays(configure: Configure) -> None:
    settings = configure("a")
    (settings.data_dir / "tokens.json").write_text("[half")

    with pytest.raises(StorageUnavailable, match=r"tokens\.json cannot be read"):
        open_tokens(settings, RecordingLog())
    assert (settings.data_dir / "tokens.json").read_text() == "[half"


def test_a_service_is_open_until_the_first_token_and_then_never_again(configure: Configure) -> None:
    with opened(configure("a")) as tokens:
        assert is_open(None, tokens)

    token_store(configure("b")).create("mara", Scope.READ, NOON)
    token_store(configure("b")).revoke("mara")

    for name in ("a", "new"):
        with opened(configure(name)) as tokens:
            assert (is_open(None, tokens), tokens.all()) == (False, [])
    # Also where it goes on without this database, whose tokens it does not have.
    assert not is_open(None, TokenFile(configure("a").data_dir))


def test_one_whose_tokens_were_all_revoked_before_stays_closed(configure: Configure) -> None:
    settings = configure("a")
    TokenFile(settings.data_dir).create("mara", Scope.READ, NOON)
    TokenFile(settings.data_dir).revoke("mara")

    for _ in range(2):
        with opened(settings) as tokens:
            assert not is_open(None, tokens)


def test_other_machines_are_not_served_before_there_is_a_token_in_the_database(configure: Configure) -> None:
    everywhere = configure("a", host="0.0.0.0")
    with opened(everywhere) as tokens, pytest.raises(InvalidInput, match="without tokens only this machine is served"):
        check_access(everywhere, tokens)

    token_store(everywhere).create("mara", Scope.READ, NOON)

    with opened(everywhere) as tokens:
        check_access(everywhere, tokens)


def test_a_token_can_be_created_before_the_first_start_and_nothing_else_creates_tables(tmp_path: Path) -> None:
    with postgres.new_schema() as schema:
        store = token_store(Settings(data_dir=tmp_path, database_url=postgres.SERVER, database_schema=schema))
        assert store.all() == []
        with pytest.raises(NotFound, match="no token named 'mara'"):
            store.revoke("mara")
        assert postgres.execute("SELECT to_regnamespace(%s)", schema) == [(None,)]

        store.create("mara", Scope.ADMIN, NOON)

        assert [(token.name, token.scope, token.created_at) for token in store.all()] == [("mara", Scope.ADMIN, NOON)]


def test_names_are_unique_and_those_of_the_service_reserved(configure: Configure) -> None:
    store = token_store(configure("a"))
    store.create("mara", Scope.READ, NOON)

    with pytest.raises(InvalidInput, match="there is a token named 'mara'"):
        store.create("mara", Scope.ADMIN, NOON)
    with pytest.raises(InvalidInput, match="is reserved"):
        store.create("job-recovery", Scope.ADMIN, NOON)

    store.revoke("mara")
    store.create("mara", Scope.ADMIN, NOON)
    assert [token.scope for token in store.all()] == [Scope.ADMIN]


def test_a_command_that_cannot_reach_the_database_says_so(tmp_path: Path) -> None:
    store = token_store(Settings(data_dir=tmp_path, database_url="postgresql://127.0.0.1:9/nowhere"))
    for use in (store.all, lambda: store.create("mara", Scope.READ, NOON), lambda: store.revoke("mara")):
        with pytest.raises(StorageUnavailable, match="the tokens in schema job_recovery of nowhere at"):
            use()
