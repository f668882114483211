"""Fixtures: servers once per session; a bucket, a database, a proxy for each test."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from servers import ceph as ceph_server
from servers import ldap as ldap_server
from servers import oidc as oidc_server
from servers import postgresql as postgresql_server
from servers.ceph import Ceph
from servers.fault_proxy import FaultProxy
from servers.ldap import Ldap
from servers.oidc import Client, OidcProvider
from servers.postgresql import Postgresql


@dataclass(frozen=True)
class Bucket:
    """An empty bucket."""

    name: str
    ceph: Ceph
    client: Any = field(repr=False)
    """A botocore client of the bucket's owner, straight to the server."""

    @property
    def url(self) -> str:
        """Its URL, as HSC_STORE takes it."""
        return f"s3://{self.name}"

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Give the AWS_* variables that lead to it, straight or through a proxy's port."""
        return self.ceph.environment(port=port)

    def keys(self) -> list[str]:
        """List all keys."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def remove(self) -> None:
        """Remove it with all that is in it."""
        for key in self.keys():
            self.client.delete_object(Bucket=self.name, Key=key)
        self.client.delete_bucket(Bucket=self.name)


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """Give the session's Ceph, started once (about 20 s)."""
    missing = ceph_server.missing_programs()
    if missing:
        pytest.skip(f"no {', '.join(missing)}; install {ceph_server.PACKAGES}, or: make servers")
    with Ceph() as running:
        yield running


@pytest.fixture
def bucket(ceph: Ceph, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Give an empty bucket; AWS_* leads to it for the length of the test."""
    made = Bucket(f"hsc-{secrets.token_hex(6)}", ceph, ceph.client())
    made.client.create_bucket(Bucket=made.name)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.remove()
    made.client.close()


@pytest.fixture
def faults(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Give a proxy before the bucket's server; AWS_* leads through it."""
    with FaultProxy(bucket.ceph.port) as proxy:
        for name, value in bucket.environment(proxy.port).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """Give the session's PostgreSQL, started once (about 3 s)."""
    programs = postgresql_server.programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL; install {postgresql_server.PACKAGES}, or: make servers")
    with Postgresql(programs) as running:
        yield running


@pytest.fixture
def database(postgresql: Postgresql) -> Iterator[str]:
    """Give an empty database's URL, with account and password."""
    name = postgresql.make_database()
    yield postgresql.url(name)
    postgresql.drop_database(name)


@pytest.fixture(scope="session")
def oidc() -> Iterator[OidcProvider]:
    """Give the session's OpenID Connect provider, started once (1 s, and 5 s where it is new)."""
    if missing := oidc_server.missing_programs():
        pytest.skip(f"no {', '.join(missing)}; install {oidc_server.PACKAGES}, or: make servers")
    try:
        folder = oidc_server.install()
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"npm can't install the package oidc-provider ({error})")
    groups = ["maxiv/20260123", "staff:maxiv/CoSAXS", "user:bertil"]
    clients = [Client("anna", {"groups": groups}), Client("bertil")]
    with OidcProvider(folder, clients) as running:
        yield running


@pytest.fixture(scope="session")
def ldap() -> Iterator[Ldap]:
    """Give the session's LDAP directory, started once (1 s)."""
    if missing := ldap_server.missing_programs():
        pytest.skip(f"no {', '.join(missing)}; install {ldap_server.PACKAGES}, or: make servers")
    with Ldap() as running:
        yield running
