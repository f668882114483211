"""The passwords of the store and of the catalog stand in nothing that hsc keeps or says."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.fixtures import Bucket
from servers.postgresql import Postgresql


def test_no_password_is_kept_or_told(
    hsc,
    bucket: Bucket,
    postgresql: Postgresql,
    database: str,
    tree_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HSC_STORE", bucket.url)
    monkeypatch.setenv("HSC_CATALOG", database)
    secrets = (postgresql.password, bucket.ceph.owner.secret_key)
    told = [
        hsc("ingest", tree_file),
        hsc("activities", "--json"),
        hsc("doctor", "--json"),
        hsc("ingest", "absent.h5", code=1),
    ]
    said = "".join(answer.stdout + answer.stderr for answer in told)
    kept = [
        bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
        for key in sorted(bucket.keys())
    ]
    name = database.rpartition("/")[2]
    rows = repr(postgresql.ask("SELECT json FROM activity_document", name))
    assert '"parameters"' in rows
    for secret in secrets:
        assert secret not in said
        assert secret not in rows
        assert not any(secret.encode() in data for data in kept)
