"""Settings: read from the environment at the call."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsc import settings
from hsc.errors import ConfigurationError


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "STORE", "CATALOG", "DASK", "FACILITY", "TOKEN"):
        monkeypatch.delenv(f"HSC_{name}", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def test_defaults_lie_under_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.home().is_absolute()
    assert settings.home().name == "hsc"
    monkeypatch.setenv("HSC_HOME", "/data/my state")
    assert settings.home() == Path("/data/my state")
    assert settings.store_url() == "file:///data/my%20state/store"
    assert settings.catalog_url() == "sqlite:////data/my state/catalog.sqlite"


def test_nothing_set_means_threads_no_facility_no_token_no_prefect() -> None:
    assert settings.dask() == "threads"
    assert settings.facility() is None
    assert settings.token() is None
    assert settings.prefect_url() is None


def test_a_change_holds_from_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_STORE", "s3://bucket/prefix")
    monkeypatch.setenv("HSC_CATALOG", "https://catalog.example.org")
    monkeypatch.setenv("HSC_FACILITY", "maxiv")
    monkeypatch.setenv("HSC_TOKEN", "secret")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert settings.store_url() == "s3://bucket/prefix"
    assert settings.catalog_url() == "https://catalog.example.org"
    assert (settings.facility(), settings.token()) == ("maxiv", "secret")
    assert settings.prefect_url() == "http://127.0.0.1:4200/api"
    monkeypatch.delenv("HSC_FACILITY")
    assert settings.facility() is None


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HSC_HOME", "state")
    assert settings.home() == tmp_path / "state"


def test_a_home_that_is_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HSC_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match="HSC_HOME"):
        settings.home()


@pytest.mark.parametrize("value", ["threads", "processes", "tcp://127.0.0.1:8786", "tls://host:1"])
def test_a_place_to_work_is_taken_as_given(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_DASK", value)
    assert settings.dask() == value


@pytest.mark.parametrize("value", ["thread", "10.0.0.1:8786", "tcp://", "http://host"])
def test_what_is_no_place_to_work_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_DASK", value)
    with pytest.raises(ConfigurationError, match="HSC_DASK"):
        settings.dask()


@pytest.mark.parametrize("name", ["HSC_STORE", "HSC_CATALOG"])
@pytest.mark.parametrize("value", ["/data/store", "catalog.sqlite", "://x", "3s://x"])
def test_what_is_no_url_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    read = {"HSC_STORE": settings.store_url, "HSC_CATALOG": settings.catalog_url}[name]
    with pytest.raises(ConfigurationError, match=f"{name}='{value}'"):
        read()


@pytest.mark.parametrize(
    "value",
    ["tcp://127.0.0.1:port", "tls://host", "tcp://:8786", "tcp://10.0.0.1:8786", "ws://host:1"],
)
def test_a_scheduler_without_host_port_or_encryption_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_DASK", value)
    with pytest.raises(ConfigurationError, match="HSC_DASK"):
        settings.dask()


def test_a_scheduler_may_have_an_address_of_ip_version_6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_DASK", "tcp://[::1]:8786")
    assert settings.dask() == "tcp://[::1]:8786"


def test_a_store_that_forgets_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_STORE", "memory://store")
    with pytest.raises(ConfigurationError, match="forget"):
        settings.store_url()


def test_a_scheduler_without_tls_off_loopback_must_be_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HSC_DASK", "tcp://10.0.0.7:8786")
    with pytest.raises(ConfigurationError) as caught:
        settings.dask()
    assert "HSC_DASK_UNENCRYPTED=1" in caught.value.next_step
    monkeypatch.setenv("HSC_DASK_UNENCRYPTED", "1")
    assert settings.dask() == "tcp://10.0.0.7:8786"
    monkeypatch.setenv("HSC_DASK", "tcp://user:password@10.0.0.7:8786")
    with pytest.raises(ConfigurationError):
        settings.dask()


@pytest.mark.parametrize(
    "url",
    ["s3://key:secret@bucket/x", "s3://key:sec/ret@bucket", "sftp://somebody@host/secret"],
)
def test_a_store_with_credentials_is_refused_before_anything_repeats_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_STORE", url)
    with pytest.raises(ConfigurationError, match="credentials") as refused:
        settings.store_url()
    assert "secret" not in str(refused.value)
    assert "sec/ret" not in str(refused.value)


@pytest.mark.parametrize("url", ["file:///data/a@b:c", "s3://bucket/a@b:c"])
def test_a_store_may_have_any_sign_in_its_path(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSC_STORE", url)
    assert settings.store_url() == url
