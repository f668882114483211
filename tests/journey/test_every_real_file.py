"""Every file that other people's programs wrote: taken in and found equal, or told why not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from independent.comparing import compare_file
from independent.exports import TABLE as RETURNED
from independent.exports import chosen, exported
from independent.h5_views import view_differences
from independent.h5diff import PACKAGE, missing_program
from independent.real_files import (
    GROUPS,
    SLOWEST_S,
    TABLE,
    Outcome,
    groups,
    outcomes,
    real_files,
)

import hsc

SMALL_NBYTES = 10**6
NUMBERS = "iufb"
# Dask takes milliseconds for each: the view, which shares their reading, is compared in whole.
NODES_APART, VARIABLES = 5, 3
AGAIN = "run .venv/bin/python tests/independent/real_files.py <folder of real files>"


RETURNED_AGAIN = "run .venv/bin/python tests/independent/exports.py <folder of real files>"


@pytest.mark.parametrize("number", range(GROUPS))
def test_every_real_file_is_equal_or_told_why_not(
    realfiles: Path, tmp_path: Path, number: int, every_export: bool
) -> None:
    files = list(groups(realfiles))[number]
    told = TABLE.read_text(encoding="utf-8").splitlines()
    found = outcomes(realfiles, files, tmp_path)
    assert [f"{each.name}: {what}" for each in found for what in each.wrong] == []
    wrong = [what for each in found if each.pid for what in opened_differences(realfiles, each)]
    assert wrong == []
    assert [each.name for each in found if each.seconds > SLOWEST_S] == []
    assert [line for each in found if (line := each.line()) not in told] == [], AGAIN
    comes_back(realfiles, files, found, tmp_path, every_export)


def comes_back(
    realfiles: Path, files: list[Path], found: list[Outcome], home: Path, every: bool
) -> None:
    """Write what was taken in whole back to HDF5, and compare: each third, or all when asked."""
    if missing_program():
        pytest.skip(f"no h5diff, so nothing was written back; install {PACKAGE}, or: make servers")
    whole = {realfiles / each.name: each.pid for each in found if each.pid and not each.gaps}
    scratch = home / "back"
    scratch.mkdir()
    back = exported(realfiles, chosen(files, whole, every), home, scratch)
    told = RETURNED.read_text(encoding="utf-8").splitlines()
    assert [f"{each.name}: {what}" for each in back for what in each.wrong] == []
    assert [line for each in back if (line := each.line()) not in told] == [], RETURNED_AGAIN


def test_the_table_of_outcomes_names_every_real_file_once(realfiles: Path) -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = lines[lines.index("|---|---|---|---|---|---|") + 1 :]
    named = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    there = [path.relative_to(realfiles).as_posix() for path in real_files(realfiles)]
    assert sorted(named) == sorted(there), AGAIN


def opened_differences(realfiles: Path, each: Outcome) -> Iterator[str]:
    """Open a dataset, show it, and give what it shows otherwise than h5py its file."""
    tree = hsc.open(each.pid)
    assert repr(tree)
    assert tree._repr_html_()
    tree.hsc.default_plot()
    with h5py.File(realfiles / each.name, locking=False) as file:
        for what in view_differences(file, tree.hsc.h5, set(each.gaps)):
            yield f"{each.name} {what}"
    for node in list(tree.subtree)[::NODES_APART]:
        for name, variable in list(node.variables.items())[:VARIABLES]:
            if variable.dtype.kind in NUMBERS and variable.nbytes < SMALL_NBYTES and not each.gaps:
                theirs = np.asarray(node.hsc.h5[f"{node.path}/{name}"])
                if theirs.dtype.kind not in NUMBERS or theirs.shape != variable.shape:
                    continue
                if theirs.tobytes() != variable.values.astype(theirs.dtype).tobytes():
                    yield f"{each.name} {node.path}/{name}: other values in the tree"


def compound(file: h5py.File) -> None:
    file["compound"][1] = (5, [1, 2])


def ragged(file: h5py.File) -> None:
    file["ragged"][0] = np.arange(3, dtype=">i4")


def text(file: h5py.File) -> None:
    file["text"][1] = "c"


def reference(file: h5py.File) -> None:
    file["reference"][0] = file["text"].ref


def number(file: h5py.File) -> None:
    file["number"][3, 3] = np.nan


def attribute(file: h5py.File) -> None:
    file["number"].attrs["a"] = np.float32(2)


def column_of_an_attribute(file: h5py.File) -> None:
    del file.attrs["pair"]
    file.attrs["pair"] = np.array((1, 3.0), [("x", ">i2"), ("y", "f8")])


def soft_link(file: h5py.File) -> None:
    del file["soft"]
    file["soft"] = h5py.SoftLink("/b")


def dataset(file: h5py.File) -> None:
    file["new"] = 1


def kind(file: h5py.File) -> None:
    del file["scalar"]
    file["scalar"] = np.float32(1)


CHANGES = [
    compound, ragged, text, reference, number, attribute, column_of_an_attribute, soft_link,
    dataset, kind,
]  # fmt: skip


@pytest.fixture(scope="module")
def before(shared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Take a file in that has some of everything; give it and the version's folder."""
    path = tmp_path_factory.mktemp("before") / "a.h5"
    with h5py.File(path, "w") as file:
        kind = np.dtype([("a", ">i4"), ("b", "f4", (2,))])
        file["compound"] = np.zeros(3, kind)
        made = file.create_dataset("ragged", (2,), h5py.vlen_dtype(np.dtype(">i4")))
        made[0] = np.arange(2, dtype=">i4")
        file.create_dataset("text", data=["a", "b"], dtype=h5py.string_dtype())
        file["number"] = np.ones((4, 5))
        file["number"].attrs["a"] = np.float32(1)
        file["scalar"] = 1.0
        file.create_dataset("reference", data=[file["number"].ref], dtype=h5py.ref_dtype)
        file["soft"] = h5py.SoftLink("/a")
        file.attrs["pair"] = np.array((1, 2.0), [("x", ">i2"), ("y", "f8")])
    made = shared.json("ingest", path)["datasets"][0]
    location = shared.json("show", made["pid"])["location"]
    return path, Path(location.removeprefix("file://"))


def test_the_independent_look_finds_a_whole_file_equal(before: tuple[Path, Path]) -> None:
    found = compare_file(*before, {})
    assert (found.wrong, found.arrays, found.attributes, found.links) == ([], 6, 2, 1)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_independent_look_finds_every_change(
    before: tuple[Path, Path], tmp_path: Path, change
) -> None:
    path, folder = before
    changed = shutil.copy(path, tmp_path / "changed.h5")
    with h5py.File(changed, "a") as file:
        change(file)
    assert len(compare_file(Path(changed), folder, {}).wrong) >= 1
