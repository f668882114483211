"""The doctor says soon that a store does not answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from servers.children import free_port


def test_a_bucket_that_nobody_serves_is_told_within_seconds(
    hsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HSC_STORE", "s3://bucket")
    began = time.monotonic()
    checks = hsc.json("doctor", code=1)["checks"]
    assert time.monotonic() - began < 60
    (store,) = [check for check in checks if check["name"] == "store"]
    assert not store["ok"]
    assert "times in" in store["found"]
    assert "AWS_ENDPOINT_URL" in store["next"]


def test_one_store_is_tried_out_by_its_url(hsc, tmp_path: Path) -> None:
    found = hsc.json("doctor", "--store", (tmp_path / "s").as_uri())
    assert found["ingest"]
    assert found["allows"]
    assert not (tmp_path / "s").exists()
    (tmp_path / "file").write_bytes(b"")
    found = hsc.json("doctor", "--store", (tmp_path / "file").as_uri(), code=1)
    assert not found["ingest"]
    assert found["next"]
