"""What goes wrong while a file is written: one object's fault, or the end of the export."""

from __future__ import annotations

import errno
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc.errors import HscError, MissingShardError, StoreFullError, StoreUnavailableError
from hsc.exporting import export_run
from hsc.exporting.failures import end_unless_own

WORDS = f"file write failed: time = x, errno = {errno.ENOSPC}, error message = 'No space left'"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(WORDS), StoreFullError),
        (RuntimeError(WORDS), StoreFullError),
        (OSError(errno.ENOSPC, "No space left"), StoreFullError),
        (StoreUnavailableError("no answer"), StoreUnavailableError),
    ],
)
def test_a_full_disk_and_a_lost_store_end_the_export(error: Exception, kind: type) -> None:
    with pytest.raises(kind):
        end_unless_own(error, "a.h5")


def test_what_hdf5_does_not_take_is_the_object_s_own_fault() -> None:
    end_unless_own(ValueError("no such type"), "a.h5")
    end_unless_own(OSError("errno = 281, odd"), "a.h5")


@pytest.mark.parametrize("kind", ["numbers", "texts"])
def test_a_lost_shard_ends_the_export_and_leaves_nothing(keep, tmp_path: Path, kind: str) -> None:
    source = tmp_path / "a.h5"
    noise = np.random.default_rng(1).integers(0, 2**60, 300_000)
    with h5py.File(source, "w") as file:
        words = [str(each) for each in noise] if kind == "texts" else noise
        file.create_dataset("d", data=words)
    dataset = keep(source)
    store = Path(dataset.record.location.removeprefix("file://"))
    shards = [each for each in (store / "data.zarr").rglob("*") if each.stat().st_size > 10**5]
    assert shards
    for each in shards:
        each.unlink()
    with pytest.raises(HscError) as raised:
        export_run(dataset, tmp_path / "out.h5")
    assert isinstance(raised.value, MissingShardError)
    assert [each.name for each in tmp_path.iterdir() if "out" in each.name] == []
