"""Previews as staff meet them: they lie beside the data, in the manifest, and change no root."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.model import Pid
from hsc.store import open_version


@pytest.fixture
def stack_file(tmp_path):
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["data"] = np.arange(3 * 64 * 48, dtype="u2").reshape(3, 64, 48)
    return tmp_path / "stack.h5"


@pytest.mark.parametrize("option", ["--verify=full", "--preview"])
def test_previews_are_made_when_asked_and_lie_in_the_manifest(hsc, stack_file, option):
    ingested = hsc.json("ingest", stack_file, option)["datasets"][0]
    with hsc.catalog() as catalog:
        version = open_version(catalog.get(Pid.parse(ingested["pid"])).location)
    keys = [e.key for e in version.manifest.entries if e.key.startswith("preview/data/")]
    assert sorted(key.rpartition("/")[2] for key in keys) == [
        "frames.npy",
        "maximum.npy",
        "mean.npy",
        "preview.png",
        "totals.npy",
    ]
    assert all(version.read(key) for key in keys)


def test_without_being_asked_there_is_none_and_the_root_is_the_same(hsc, stack_file, tmp_path):
    plain = hsc.json("ingest", stack_file)["datasets"][0]
    assert not [key for key in hsc.objects() if "/preview/" in key]
    elsewhere = {"HSC_HOME": str(tmp_path / "other")}
    full = hsc.json("ingest", stack_file, "--verify", "full", env=elsewhere)["datasets"][0]
    assert full["root"] == plain["root"]
