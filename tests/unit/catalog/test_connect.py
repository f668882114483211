"""Connecting by URL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hsc.client import connect
from hsc.errors import ConfigurationError
from hsc.model import Query


def test_without_a_url_the_environment_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HSC_CATALOG", raising=False)
    monkeypatch.setenv("HSC_HOME", str(tmp_path / "home"))
    with connect() as catalog:
        assert catalog.search(Query()).total == 0
        assert catalog.url == f"sqlite:///{tmp_path}/home/catalog.sqlite"
    assert (tmp_path / "home" / "catalog.sqlite").is_file()


@pytest.mark.parametrize("scheme", ["sqlite", "SQLite", "sqlite+pysqlite"])
def test_case_and_driver_of_the_scheme_do_not_matter(tmp_path: Path, scheme: str) -> None:
    connect(f"{scheme}:///{tmp_path}/catalog.sqlite").close()
    assert (tmp_path / "catalog.sqlite").is_file()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://anna:secret@db.example.org/hsc", "'mysql://db.example.org/hsc'"),
        ("ftps://anna:sec/r@et?@example.org/?token=secret", "'ftps://example.org/'"),
        ("anna:secret@sqlite", "'sqlite'"),
        ("sqlite", "'sqlite'"),
        ("", "''"),
    ],
)
def test_an_unknown_scheme_is_named_without_credentials(url: str, shown: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite://") as caught:
        connect(url)
    assert caught.value.message == f"no catalog answers to {shown}"
    assert "sec" not in str(caught.value)


def test_the_client_alone_brings_in_no_catalog() -> None:
    code = "import sys, hsc.client; print({'hsc_catalog', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "url",
    [
        "https://anna:sec/r@et?@example.org/?token=secret",
        "https://example.org/?token=secret",
        "http://anna:secret@example.org",
        "http://example.org:secret/",
        "https://",
    ],
)
def test_an_address_of_a_catalog_carries_no_secret(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(url)
    assert "sec" not in str(caught.value)
