"""A catalog in PostgreSQL: what is made, what is refused, and that no password is ever shown."""

from __future__ import annotations

import logging
import pickle
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from servers.postgresql import Postgresql
from sqlalchemy import make_url

from hsc import settings
from hsc.client import connect
from hsc.errors import (
    CatalogUnavailableError,
    ConfigurationError,
    FormatVersionError,
    HscError,
)
from hsc.model import Query
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog import open_postgresql
from hsc_catalog.databases.postgresql import is_near


def test_a_url_opens_it_and_shows_neither_account_nor_password(
    postgresql: Postgresql, database: str
) -> None:
    name = database.rpartition("/")[2]
    dataset = example_dataset()
    with connect(database) as catalog:
        assert catalog.url == f"postgresql://127.0.0.1:{postgresql.port}/{name}"
        catalog.register(dataset, example_activity(), [])
    with connect(database) as catalog:
        assert catalog.get(dataset.pid) == dataset


def test_the_password_may_come_from_where_every_postgresql_program_finds_it(
    postgresql: Postgresql, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", postgresql.password)
    with connect(database.replace(f":{postgresql.password}", "")) as catalog:
        assert catalog.search(Query()).total == 0


def test_whoever_else_makes_the_tables_at_the_same_moment_all_open_it(database: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: open_postgresql(database).close(), range(8)))
    with open_postgresql(database) as catalog:
        assert catalog.search(Query()).total == 0


def test_threads_share_a_catalog(database: str) -> None:
    with open_postgresql(database) as catalog, ThreadPoolExecutor(8) as threads:

        def register(_: int) -> None:
            catalog.register(example_dataset(), example_activity(), [])

        list(threads.map(register, range(40)))
        assert catalog.search(Query(limit=0)).total == 40


def test_text_that_postgresql_cannot_keep_comes_back_all_the_same(database: str) -> None:
    dataset = example_dataset(title="a\0b", proposal="x\0y", keywords=("w" * 5000,))
    with open_postgresql(database) as catalog:
        catalog.register(dataset, example_activity(), [])
        assert catalog.get(dataset.pid) == dataset
        assert catalog.search(Query(proposal="x\0y")).total == 1
        assert catalog.search(Query(text="w" * 5000)).total == 1


def test_a_held_catalog_says_so_and_takes_nothing_in(database: str) -> None:
    with (
        open_postgresql(database) as holder,
        open_postgresql(database, lock_timeout_s=0.2) as catalog,
    ):
        with (
            holder.database.writing(),
            pytest.raises(CatalogUnavailableError, match="another program holds it"),
        ):
            catalog.register(example_dataset(), example_activity(), [])
        assert catalog.search(Query()).total == 0


def test_a_newer_schema_is_refused(postgresql: Postgresql, database: str) -> None:
    open_postgresql(database).close()
    postgresql.ask("UPDATE schema_version SET version = 999", database.rpartition("/")[2])
    with pytest.raises(FormatVersionError, match="version 999"):
        open_postgresql(database)


def test_a_database_of_something_else_is_refused_and_left_alone(
    postgresql: Postgresql, database: str
) -> None:
    name = database.rpartition("/")[2]
    postgresql.ask("CREATE TABLE places (name text)", name)
    with pytest.raises(CatalogUnavailableError, match="no catalog"):
        open_postgresql(database)
    tables = postgresql.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name)
    assert tables == [("places",)]


def test_a_server_that_was_started_again_is_used_again(
    postgresql: Postgresql, database: str
) -> None:
    with open_postgresql(database) as catalog:
        catalog.register(example_dataset(), example_activity(), [])
        postgresql.end()
        with pytest.raises(CatalogUnavailableError, match="check that the server runs"):
            catalog.search(Query())
        postgresql.start()
        assert catalog.search(Query()).total == 1


def wrong_urls(good: str, password: str) -> dict[str, str]:
    parsed = make_url(good)

    def changed(**facts: object) -> str:
        return parsed.set(**facts).render_as_string(hide_password=False)

    return {
        "no such account": changed(username="nobody"),
        "no such database": changed(database="absent"),
        "nobody listens": changed(port=1),
        "no TLS there": changed(query={"sslmode": "require"}),
        "a parameter": changed(query={"connect_timeout": password}),
        "a port that is none": good.replace(f":{parsed.port}", f":{password}"),
        "two at signs": good.replace("@", "@@"),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "no such account", "no such database", "nobody listens", "no TLS there", "a parameter",
        "a port that is none", "two at signs",
    ],
)  # fmt: skip
def test_no_error_shows_the_password(
    postgresql: Postgresql, database: str, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(HscError) as caught:
        connect(wrong_urls(database, postgresql.password)[wrong])
    assert isinstance(caught.value, CatalogUnavailableError | ConfigurationError)
    assert caught.value.next_step
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    assert postgresql.password not in told
    assert postgresql.password.encode() not in pickle.dumps(caught.value)


def test_a_url_without_a_scheme_does_not_show_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HSC_CATALOG", "anna:s3cret@db.example.org/hsc")
    with pytest.raises(ConfigurationError) as caught:
        settings.catalog_url()
    assert "s3cret" not in str(caught.value)
    assert "db.example.org" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("postgresql:///hsc", True),
        ("postgresql://localhost/hsc", True),
        ("postgresql://127.0.0.1/hsc", True),
        ("postgresql://[::1]/hsc", True),
        ("postgresql:///hsc?host=/run/postgresql", True),
        ("postgresql://db.example.org/hsc", False),
        ("postgresql:///hsc?host=10.0.0.7", False),
        ("postgresql:///hsc?service=lab", False),
    ],
)
def test_off_loopback_a_connection_is_encrypted(url: str, near: bool) -> None:
    assert is_near(make_url(url)) == near
