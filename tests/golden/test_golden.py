"""Every release's golden store is read by this one: log, claims, manifests, digests, values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

import hsc as python
from hsc import jobs
from hsc.errors import FormatVersionError, GapError
from hsc.model import Gap, Pid
from hsc.reading import open_dataset
from hsc.store import (
    Manifest,
    dataset_root,
    open_objects,
    open_version,
    read_attempts,
    read_claim,
)

HERE = Path(__file__).parent
STORES = sorted(path.parent for path in HERE.glob("*/made.json"))
LOOSE, PACKED = (f"hsc.local/01JG000000000000000000000{number}" for number in (1, 2))


@pytest.fixture(params=STORES, ids=lambda path: path.name)
def store(request, tmp_path: Path) -> Path:
    """Give a copy of a golden store; the one in the repository is only read."""
    return Path(shutil.copytree(request.param, tmp_path / "golden"))


@pytest.fixture
def rebuilt(store: Path, tmp_path: Path, monkeypatch) -> Path:
    """Make a catalog from nothing but the store."""
    monkeypatch.setenv("HSC_CATALOG", f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    with python.connect() as catalog:
        told = jobs.rebuild(store.as_uri(), catalog)
    assert (set(told.registered), told.skipped) == ({f"{LOOSE}@1", f"{PACKED}@1"}, ())
    return store


def test_each_release_kept_one():
    assert STORES
    assert [json.loads((each / "made.json").read_text())["made_by"] for each in STORES] == [
        each.name for each in STORES
    ]


def test_its_log_and_claims_are_read(store: Path):
    objects = open_objects(store.as_uri())
    attempts = list(read_attempts(objects))
    assert [str(each.pid) for each in attempts] == [LOOSE, PACKED]
    for attempt in attempts:
        claim = read_claim(objects, attempt.source_id or "")
        assert claim is not None
        assert (claim.pid, claim.location) == (attempt.pid, attempt.location)
    assert jobs.collect(store.as_uri()).remains == ()


def test_every_object_has_the_digest_and_every_version_the_root_that_was_written(store: Path):
    for attempt in read_attempts(open_objects(store.as_uri())):
        version = open_version(f"{store.as_uri()}/{attempt.location}")
        version.check_present()
        for entry in version.manifest.entries:
            data = version.read(entry.key)
            assert (data is None) == entry.absent
        assert dataset_root(version.manifest.entries) == version.manifest.root


def test_its_values_are_those_that_went_in(rebuilt: Path):
    values = np.arange(6 * 8 * 16, dtype="u2").reshape(6, 8, 16) * 7
    values[3] = 5
    tree = python.open(LOOSE)
    for name in ("rewrapped", "recoded", "plain"):
        np.testing.assert_array_equal(tree[f"entry/{name}"].to_numpy(), values)
    assert float(tree["entry/energy"]) == 12.4
    assert tree["entry/energy"].attrs["units"] == "keV"
    assert str(tree["entry/title"].to_numpy()) == "größte α"
    many = python.open(PACKED)
    for number in range(31):
        got = many[f"values/value_{number:02}"].to_numpy()
        np.testing.assert_array_equal(got, np.arange(number + 1) - 3)


def test_its_gap_is_named_and_never_reads_as_data(rebuilt: Path):
    with python.connect() as catalog:
        loose = catalog.get(Pid.parse(LOOSE))
    (gap,) = loose.gaps
    assert isinstance(gap, Gap)
    assert gap.path == "/entry/damaged"
    damaged = open_dataset(loose).array("/entry/damaged")
    with pytest.raises(GapError):
        damaged.read()


@pytest.mark.parametrize("pid", [LOOSE, PACKED])
def test_every_object_is_as_its_manifest_says(rebuilt: Path, pid: str):
    found = jobs.verify(jobs.VerifyRequest(pid=Pid.parse(pid), workers=2))
    assert found.damaged == ()
    assert found.objects > 3


def test_stock_zarr_reads_it(rebuilt: Path):
    folder = next(rebuilt.rglob(f"{LOOSE.partition('/')[2]}/v1/data.zarr"))
    tree = zarr.open_group(str(folder), mode="r")
    values = np.arange(6 * 8 * 16, dtype="u2").reshape(6, 8, 16) * 7
    values[3] = 5
    np.testing.assert_array_equal(tree["entry/rewrapped"][:], values)


def test_a_format_newer_than_this_release_is_refused_by_name(store: Path):
    for path in store.rglob("manifest"):
        data = bytearray(path.read_bytes())
        data[4:6] = (9).to_bytes(2, "little")
        with pytest.raises(FormatVersionError, match="format 9"):
            Manifest.decode(bytes(data), "there")
