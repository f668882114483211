"""The servers that other tests lean on are the real ones, and open to nobody else."""

from __future__ import annotations

import os
import socket

import botocore.exceptions
import pytest

from servers.ceph import Account, Ceph
from servers.fault_proxy import FaultProxy, Faults
from servers.fixtures import Bucket
from servers.postgresql import Postgresql


def test_ceph_writes_an_object_once_when_asked_to(bucket: Bucket) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"1", IfNoneMatch="*")
    with pytest.raises(botocore.exceptions.ClientError, match=r"412|PreconditionFailed"):
        bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"2", IfNoneMatch="*")
    assert bucket.keys() == ["a"]


def test_ceph_knows_its_accounts_and_nobody_else(ceph: Ceph, bucket: Bucket) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"1")
    strangers = (ceph.account("stranger"), Account("hsc", ceph.owner.access_key, "wrong"))
    for account in strangers:
        client = ceph.client(account)
        with pytest.raises(
            botocore.exceptions.ClientError, match=r"403|Forbidden|Denied|Signature"
        ):
            client.get_object(Bucket=bucket.name, Key="a")
        client.close()


def test_ceph_keeps_what_it_took_when_it_is_killed(ceph: Ceph, bucket: Bucket) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"1" * 100_000)
    ceph.gateway.kill()
    assert not ceph.answers()
    ceph.start_gateway()
    assert bucket.client.get_object(Bucket=bucket.name, Key="a")["Body"].read() == b"1" * 100_000


def test_a_test_reaches_its_bucket_through_the_environment(bucket: Bucket) -> None:
    assert os.environ["AWS_ENDPOINT_URL"] == bucket.ceph.endpoint
    assert bucket.ceph.owner.secret_key not in repr(bucket)


def test_the_proxy_stands_before_ceph(bucket: Bucket, faults: FaultProxy) -> None:
    assert os.environ["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{faults.port}"
    faults.set(Faults(refuse=True))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", faults.port))


def test_postgresql_runs_without_rights_and_asks_for_a_password(
    postgresql: Postgresql, database: str
) -> None:
    import psycopg

    name = database.rpartition("/")[2]
    assert postgresql.ask("SELECT 1", name) == [(1,)]
    wrong = database.replace(postgresql.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong).close()
