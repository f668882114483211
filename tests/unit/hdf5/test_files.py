"""Files of unknown origin open, or say what is wrong with them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc.errors import (
    DamagedSourceError,
    NotHdf5Error,
    SourceBusyError,
    SourceMissingError,
    SplitFileError,
)
from hsc.hdf5 import FileState, open_hdf5, walk
from hsc.hdf5.files import FilesMet

WALK_ALL = """
import faulthandler, pathlib, sys, time
from hsc.errors import HscError
from hsc.layouts import read_run
faulthandler.enable()
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.is_file():
        faulthandler.dump_traceback_later(20, exit=True)
        print(path, flush=True)
        try:
            read_run(path, layout=None, time_zone="UTC")
        except HscError as error:
            assert error.where, error
        faulthandler.cancel_dump_traceback_later()
print("all")
"""


READ_BESIDE_ONE_WHO_LEAVES = """
import pathlib, sys
from hsc.hdf5 import open_hdf5
path = pathlib.Path(sys.argv[1])
first, second = open_hdf5(path), open_hdf5(path)
rows = first.__enter__()["rows"]
assert rows[0]["text"] == b"beam"
same = second.__enter__()["rows"]
assert same[0]["text"] == b"beam"
first.__exit__(None, None, None)
assert same[0]["text"] == b"beam"
second.__exit__(None, None, None)
assert not same
print("read")
"""


def opened(path):
    with open_hdf5(path):
        return True


def test_other_peoples_files_walk_or_raise_an_error_of_ours_within_20_seconds(realfiles):
    # In a process of its own, for a crash in HDF5 must be seen as one.
    done = subprocess.run(
        [sys.executable, "-c", WALK_ALL, str(realfiles)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1]) == (0, "all"), f"{lines[-1:]}\n{done.stderr}"
    assert len(lines) > 100


def test_text_in_compounds_is_read_after_another_reader_of_the_file_has_closed_it(tmp_path):
    # Two handles of one file crash here (h5py issue 2920), so in a process of its own.
    kind = np.dtype([("number", "i4"), ("text", h5py.string_dtype())])
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file.create_dataset("rows", data=np.array([(1, "beam")], kind))
    done = subprocess.run(
        [sys.executable, "-c", READ_BESIDE_ONE_WHO_LEAVES, str(tmp_path / "rows.h5")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr


@pytest.mark.parametrize("text", [b"", b"x", b"<xml/>", b"\x89HDF\r\n\x1a", b"x" * 5000])
def test_a_file_of_another_kind_is_no_hdf5(tmp_path, text):
    path = tmp_path / "a.h5"
    path.write_bytes(text)
    with pytest.raises(NotHdf5Error) as caught:
        opened(path)
    assert caught.value.where == str(path)


def test_a_signature_alone_is_a_damaged_file(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(DamagedSourceError):
        opened(path)


def test_a_missing_path_and_a_folder_are_missing_sources(tmp_path):
    for path in (tmp_path / "no.h5", tmp_path, tmp_path / "a.h5" / "b"):
        with pytest.raises(SourceMissingError):
            opened(path)


class Leaving(type(Path())):  # type: ignore[misc]
    """A path whose file is gone as soon as its beginning was read."""

    def open(self, *args, **more):
        opened_file = super().open(*args, **more)
        self.unlink()
        return opened_file


def test_a_file_that_goes_away_meanwhile_is_a_missing_source(tmp_path):
    h5py.File(tmp_path / "a.h5", "w").close()
    with pytest.raises(SourceMissingError, match="no such file"):
        opened(Leaving(tmp_path / "a.h5"))


def test_files_are_numbered_in_the_order_they_are_met(tmp_path):
    met = FilesMet(tmp_path / "m")
    met.add({tmp_path / "b", tmp_path / "a", tmp_path / "m"})
    numbers = [met.number(tmp_path / name) for name in "bamcb"]
    assert (numbers, [path.name for path in met]) == ([2, 1, 0, 3, 2], ["m", "a", "b", "c"])


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceMissingError, match="not a file"):
        opened(tmp_path / "pipe")


def test_a_file_with_a_user_block_opens(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=1024) as file:
        file["x"] = 1
    assert opened(tmp_path / "a.h5")


def test_a_file_whose_writer_has_not_closed_it_says_so(tmp_path):
    program = (
        "import h5py, os, sys\n"
        "file = h5py.File(sys.argv[1], 'w', libver='latest')\n"
        "file['x'] = 1\n"
        "file.flush()\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.h5")], check=True, timeout=60)
    with pytest.raises(SourceBusyError, match="still flagged as open for writing") as caught:
        opened(tmp_path / "a.h5")
    assert "h5clear -s" in caught.value.next_step


def test_a_file_whose_writer_lets_others_read_is_read(tmp_path):
    program = (
        "import h5py, os, sys\n"
        "file = h5py.File(sys.argv[1], 'w', libver='latest')\n"
        "made = file.create_dataset('x', (4,), 'i8', chunks=(2,), maxshape=(None,))\n"
        "file.swmr_mode = True\n"
        "made[:2] = 7\n"
        "made.flush()\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.h5")], check=True, timeout=60)
    with open_hdf5(tmp_path / "a.h5") as file:
        tree = walk(file)
        assert file["x"][:].tolist() == [7, 7, 0, 0]
    assert tree.live
    assert len(tree.datasets[0].index) == 1


def test_one_part_of_a_file_that_a_driver_split_says_so(tmp_path):
    # h5py's own file of this driver: members of a few bytes.
    with h5py.File(tmp_path / "part%d.h5", "w", driver="family", memb_size=512) as file:
        file["x"] = np.arange(1000)
    with pytest.raises(SplitFileError, match="family"):
        opened(tmp_path / "part0.h5")


@pytest.mark.parametrize("locking", [None, False, "best-effort"])
def test_a_file_that_this_session_has_open_for_reading_opens(tmp_path, locking):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with h5py.File(path, "r", locking=locking), open_hdf5(path) as file:
        assert file["x"][()] == 1


@pytest.mark.parametrize("locking", [None, False])
def test_a_file_that_this_session_has_open_for_writing_is_to_be_closed(tmp_path, locking):
    # What is not flushed yet stands in no file, so that its chunks can't be read from there.
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", locking=locking) as file:
        file["x"] = 1
        file.flush()
        with pytest.raises(DamagedSourceError, match="open in this session; close it") as caught:
            opened(path)
        assert caught.value.where == str(path)
        assert file["x"][()] == 1
    assert opened(path)


def test_every_change_of_a_file_is_seen(tmp_path):
    path = tmp_path / "a"
    for change in (
        lambda: path.write_bytes(b"longer"),
        path.unlink,
        lambda: os.utime(path, ns=(0, 0)),
        lambda: (tmp_path / "b").replace(path),
    ):
        path.write_bytes(b"one")
        (tmp_path / "b").write_bytes(b"one")
        state = FileState(path)
        assert not state.changed()
        change()
        assert state.changed()


def test_a_time_that_was_set_back_does_not_hide_a_touch(tmp_path):
    path = tmp_path / "a"
    for change in (lambda: path.write_bytes(b"two"), lambda: path.chmod(0o600)):
        path.write_bytes(b"one")
        state = FileState(path)
        assert not state.touched()
        time.sleep(0.02)
        change()
        os.utime(path, ns=(0, state.facts[1]))
        assert not state.changed()
        assert state.touched()


def test_a_file_has_a_mark_only_when_its_last_change_is_some_time_ago(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert FileState(path).mark is None
    old = FileState(Path(os.__file__)).mark
    assert old is not None
    assert old[:3] == FileState(Path(os.__file__)).facts
