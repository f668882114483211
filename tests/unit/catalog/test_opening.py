"""Opening a catalog: what is made, what is refused, what is let go of."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from hsc.errors import (
    CatalogUnavailableError,
    ConfigurationError,
    FormatVersionError,
)
from hsc.model import Edge, Query
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog import open_catalog


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_a_new_catalog_is_made_with_its_folders_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "a folder" / "100 % é" / "catalog.sqlite"
    dataset = example_dataset()
    with open_catalog(url_of(file)) as catalog:
        catalog.register(dataset, example_activity(), [])
        assert catalog.url == url_of(file)
    with open_catalog(url_of(file)) as catalog:
        assert catalog.get(dataset.pid) == dataset


@pytest.mark.parametrize("attempt", range(5))
def test_whoever_else_makes_the_file_at_the_same_moment_all_open_it(
    tmp_path: Path, attempt: int
) -> None:
    barrier = threading.Barrier(8)

    def open_and_close(_: int) -> None:
        barrier.wait()
        open_catalog(url_of(tmp_path / "catalog.sqlite")).close()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(open_and_close, range(8))) == [None] * 8


def test_every_connection_is_durable_and_keeps_references(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with (
        open_catalog(url_of(tmp_path / "catalog.sqlite")) as catalog,
        catalog.database.reading() as connection,
    ):
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    full = 2
    assert settings == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://x/y", "sqlite:////x.db?timeout=1"],
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names no catalog file"):
        open_catalog(url)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    open_catalog(url_of(file)).close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(FormatVersionError, match=r"version 99.*up to 3(.|\n)*newer release"):
        open_catalog(url_of(file))


@pytest.mark.parametrize("content", [b"x", b"no database at all, but text\n" * 100])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "catalog.sqlite"
    file.write_bytes(content)
    with pytest.raises(CatalogUnavailableError, match="name another file") as caught:
        open_catalog(url_of(file))
    assert caught.value.where == str(file)
    assert file.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE places (name)")
    before = file.read_bytes()
    with pytest.raises(CatalogUnavailableError, match="no catalog"):
        open_catalog(url_of(file))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CatalogUnavailableError, match="HSC_CATALOG") as caught:
        open_catalog(url_of(tmp_path / "file" / "sub" / "catalog.sqlite"))
    assert caught.value.where == str(tmp_path / "file" / "sub")


def test_a_folder_in_the_files_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnavailableError, match="is no folder") as caught:
        open_catalog(url_of(tmp_path))
    assert caught.value.where == str(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(CatalogUnavailableError, match="may read and write"):
            open_catalog(url_of(tmp_path / "catalog.sqlite"))
    finally:
        tmp_path.chmod(0o755)


def test_a_catalog_held_by_another_program_says_so_and_takes_nothing_in(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    with open_catalog(url_of(file), busy_timeout_s=0.1) as catalog:
        with closing(sqlite3.connect(file, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(CatalogUnavailableError, match="another program holds it"):
                catalog.register(example_dataset(), example_activity(), [])
            assert catalog.search(Query()).total == 0
            holder.execute("ROLLBACK")
        catalog.register(example_dataset(), example_activity(), [])
        assert catalog.search(Query()).total == 1


def test_a_reader_of_an_old_style_file_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    open_catalog(url_of(file)).close()
    with (
        closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as reader,
        ThreadPoolExecutor(1) as thread,
    ):
        reader.execute("PRAGMA journal_mode = DELETE")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM schema_version").fetchall()
        with pytest.raises(CatalogUnavailableError, match="another program holds it"):
            open_catalog(url_of(file), busy_timeout_s=0.1)
        opening = thread.submit(open_catalog, url_of(file))
        time.sleep(0.3)
        reader.execute("ROLLBACK")
        opening.result().close()


def test_a_registration_that_fails_at_its_last_edge_leaves_no_trace(tmp_path: Path) -> None:
    dataset = example_dataset()
    with open_catalog(url_of(tmp_path / "catalog.sqlite")) as catalog:
        with pytest.raises(AttributeError):
            catalog.register(dataset, example_activity(), [cast("Edge", None)])
        assert catalog.search(Query()).total == 0
        assert catalog.activities() == []


def test_a_damaged_file_is_an_error_not_an_empty_answer(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    with open_catalog(url_of(file)) as catalog:
        catalog.register(example_dataset(), example_activity(), [])
    page = 4096
    with file.open("r+b") as stream:
        stream.seek(page)
        stream.write(b"\xff" * (file.stat().st_size - page))
    with (
        pytest.raises(CatalogUnavailableError, match="put back a backup"),
        open_catalog(url_of(file)) as catalog,
    ):
        catalog.search(Query())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_a_closed_catalog_holds_no_file_and_answers_no_more(tmp_path: Path) -> None:
    def open_files() -> list[str]:
        links = (link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        return [str(target) for target in links if str(tmp_path) in str(target)]

    catalog = open_catalog(url_of(tmp_path / "catalog.sqlite"))
    threads = [threading.Thread(target=catalog.search, args=(Query(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_files()
    catalog.close()
    assert open_files() == []
    with pytest.raises(CatalogUnavailableError, match="closed"):
        catalog.search(Query())
    assert open_files() == []


def test_threads_share_a_catalog(tmp_path: Path) -> None:
    with open_catalog(url_of(tmp_path / "catalog.sqlite")) as catalog:

        def register() -> None:
            for _ in range(5):
                catalog.register(example_dataset(), example_activity(), [])

        threads = [threading.Thread(target=register) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert catalog.search(Query(limit=0)).total == 40


def test_importing_the_catalog_brings_in_neither_a_web_server_nor_prefect() -> None:
    code = "import sys, hsc_catalog; print({'fastapi', 'prefect', 'pint'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
