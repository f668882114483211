"""A server whose store is a private bucket gives short-lived addresses, and keys for one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from delivery.conftest import FRAMES, Facility, open_facility
from servers.fixtures import Bucket

from hsc.store import MANIFEST_KEY
from hsc_catalog.delivery import Delivery

TRUTH = FRAMES + np.uint16(3)
PROGRAM = """
import sys, time
import hsc
from hsc import jobs
with hsc.connect() as catalog:
    assert jobs.locate(catalog, hsc.model.Pid.parse(sys.argv[1])).record.location.startswith("hsc+")
frames = hsc.open(sys.argv[1])["a.h5/entry/data/frames"]
first = frames[:2].values
time.sleep(3)  # what was signed has expired
print(int(first.astype("i8").sum()), int(frames[2:].values.astype("i8").sum()))
fetched = jobs.fetch(jobs.FetchRequest(pid=sys.argv[1], folder=sys.argv[2]))
print(len(jobs.verify_folder("file://" + sys.argv[2]).damaged), len(fetched.not_fetched))
"""


@pytest.fixture
def facility(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Facility]:
    """Give a facility whose store is a private bucket; addresses hold for two seconds."""
    # Named with its server: the environment of whoever reads says nothing of it.
    store = f"s3+http://127.0.0.1:{bucket.ceph.port}/{bucket.name}/data"
    monkeypatch.setenv("HSC_HOME", str(tmp_path / "facility"))
    monkeypatch.setenv("HSC_STORE", store)
    yield from open_facility(tmp_path / "facility", store, valid_s=2)


def ask(facility: Facility, who: str, path: str, body: Any = None) -> httpx.Response:
    address = f"{facility.server.url}/v1/datasets/{facility.pid}/{path}"
    return httpx.post(
        address, json=body, headers={"Authorization": f"Bearer {facility.tokens[who]}"}
    )


def test_a_private_bucket_opens_with_a_token_alone(
    facility: Facility, bucket: Bucket, tmp_path: Path
) -> None:
    """In a process of its own, which has nothing of AWS's; addresses expire in the middle."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = {
        "HSC_HOME": str(tmp_path / "laptop"),
        "HSC_CATALOG": facility.server.url,
        "HSC_TOKEN": facility.tokens["member"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(facility.pid), str(tmp_path / "copy")],
        env={**kept, **told}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sums = [int(part.astype("i8").sum()) for part in (TRUTH[:2], TRUTH[2:])]
    assert done.stdout.split() == [str(sums[0]), str(sums[1]), "0", "0"]
    assert facility.tokens["member"] not in done.stderr
    # The bucket itself is closed to who has nothing.
    assert httpx.get(f"{bucket.ceph.endpoint}/{bucket.name}/data").status_code == 403
    urls = ask(facility, "member", "urls", {"keys": [MANIFEST_KEY, "no such"]}).json()["urls"]
    assert set(urls) == {MANIFEST_KEY}
    assert httpx.get(urls[MANIFEST_KEY]).content[:4] == b"HSCM"
    # An address is for its object alone.
    other = urls[MANIFEST_KEY].replace("/manifest?", "/ro-crate-metadata.json?")
    assert httpx.get(other).status_code == 403
    assert ask(facility, "stranger", "urls", {"keys": [MANIFEST_KEY]}).status_code == 404


def test_lent_keys_read_one_folder_and_nothing_else(facility: Facility, bucket: Bucket) -> None:
    role = bucket.ceph.reading_role("hsc-lender")
    location = facility.location.partition(bucket.name + "/")[2]
    delivery = Delivery(
        facility.database, stores=[facility.location.rpartition("/maxiv/")[0]], role=role
    )
    served = facility.server.app.state.served
    facility.server.app.state.served = replace(served, delivery=delivery)
    assert ask(facility, "stranger", "credentials").status_code == 404
    answer = ask(facility, "member", "credentials")
    assert answer.status_code == 200, answer.text
    lent = answer.json()
    assert (lent["bucket"], lent["prefix"]) == (bucket.name, location)
    client = botocore.session.Session().create_client(
        "s3",
        endpoint_url=lent["endpoint"],
        region_name=lent["region"],
        aws_access_key_id=lent["access_key"],
        aws_secret_access_key=lent["secret_key"],
        aws_session_token=lent["session_token"],
        config=Config(s3={"addressing_style": "path"}),
    )
    try:
        got = client.get_object(Bucket=bucket.name, Key=f"{location}/{MANIFEST_KEY}")
        assert got["Body"].read(4) == b"HSCM"
        keys = bucket.keys()
        other = next(k for k in keys if k.endswith(MANIFEST_KEY) and location not in k)
        for forbidden in (
            lambda: client.get_object(Bucket=bucket.name, Key=other),
            lambda: client.put_object(Bucket=bucket.name, Key=f"{location}/new", Body=b"x"),
            lambda: client.delete_object(Bucket=bucket.name, Key=f"{location}/{MANIFEST_KEY}"),
            lambda: client.list_objects_v2(Bucket=bucket.name, Prefix="data/"),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                forbidden()
    finally:
        client.close()
