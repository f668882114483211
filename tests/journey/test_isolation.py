"""Files that crash HDF5 or fill the memory: an error like any other, and the next one goes in."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds memory so")

# A filter as a plugin of HDF5 brings it, by the structures of H5Zpublic.h and H5PLextern.h.
CRASHING_FILTER = """
#include <stdlib.h>
static size_t crash(unsigned flags, size_t n, const unsigned *values, size_t nbytes,
                    size_t *size, void **buffer) { abort(); }
static const struct { int version, id; unsigned encodes, decodes; const char *name;
                      void *can, *set, *filter; } made =
    {1, 32777, 1, 1, "crash", 0, 0, (void *)crash};
int H5PLget_plugin_type(void) { return 0; }
const void *H5PLget_plugin_info(void) { return &made; }
"""


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    """Give a file whose only text, packed in 600 kB, is 600 MB."""
    path = tmp_path / "bomb.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset(
            "text", (1,), h5py.string_dtype(), chunks=(1,), compression="gzip"
        )
        made.id.write_direct_chunk((0,), zlib.compress(bytes(600_000_000), 1))
    return path


@pytest.fixture
def crashing(tmp_path: Path) -> tuple[Path, Path]:
    """Give a file that only a crashing filter reads, and the folder of that filter."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make a filter that crashes: install gcc")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "crash.c").write_text(CRASHING_FILTER)
    library = folder / "libcrash.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / "crash.c"], check=True)
    path = tmp_path / "crashing.h5"
    with h5py.File(path, "w") as file:
        file["good"] = np.arange(5)
        created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        created.set_chunk((4,))
        created.set_filter(32777, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((4,))
        made = h5py.h5d.create(file.id, b"bad", h5py.h5t.STD_I32LE, space, created)
        made.write_direct_chunk((0,), bytes(16))
    return path, folder


def test_a_bomb_is_an_error_and_the_next_path_goes_in(hsc, bomb: Path, tree_file: Path) -> None:
    document = hsc.json(
        "ingest", bomb, tree_file, "--isolate", "--memory", "300MB", "--workers", "1", code=1
    )
    (told,) = document["errors"]
    # HDF5 keeps to itself that its filter failed for want of memory.
    assert (told["path"], told["error"]) == (str(bomb), "DamagedSourceError")
    assert "/text" in told["message"]
    assert told["next"]
    assert [made["source"] for made in document["datasets"]] == [str(tree_file)]
    assert len({key.split("/data.zarr")[0] for key in hsc.objects() if "/data.zarr" in key}) == 1


def test_a_crash_of_hdf5_is_an_error_and_the_next_path_goes_in(
    hsc, crashing: tuple[Path, Path], tree_file: Path
) -> None:
    path, plugins = crashing
    env = {"HDF5_PLUGIN_PATH": str(plugins)}
    document = hsc.json("ingest", path, tree_file, "--isolate", code=1, env=env)
    (told,) = document["errors"]
    assert (told["path"], told["error"]) == (str(path), "SourceCrashError")
    assert "HDF5 crashed (signal 6, SIGABRT), while reading /bad" in told["message"]
    assert [made["source"] for made in document["datasets"]] == [str(tree_file)]


def test_under_quarantine_a_chunk_that_crashes_hdf5_is_a_gap(
    hsc, crashing: tuple[Path, Path]
) -> None:
    path, plugins = crashing
    env = {"HDF5_PLUGIN_PATH": str(plugins)}
    words = ("ingest", path, "--isolate", "--policy", "quarantine")
    made = hsc.json(*words, code=3, env=env)["datasets"][0]
    (gap,) = made["gaps"]
    assert gap["path"] == "/bad"
    assert gap["reason"].startswith("chunk (0,): HDF5 crashed (signal 6, SIGABRT), while reading")
    assert sorted(array["path"] for array in made["arrays"]) == ["/bad", "/good"]


def test_isolated_or_not_the_root_is_the_same(hsc, tree_file: Path, make_run) -> None:
    run = make_run()
    apart = hsc.json("ingest", tree_file, run, "--isolate", "--verify", "full")["datasets"]
    other = {"HSC_HOME": str(hsc.home / "other")}
    plain = hsc.json("ingest", tree_file, run, env=other)["datasets"]
    assert [made["root"] for made in apart] == [made["root"] for made in plain]
    inspected = hsc.json("inspect", tree_file, "--isolate")
    assert inspected == hsc.json("inspect", tree_file)
