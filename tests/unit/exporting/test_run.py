"""Where an export is written to, and what is there already."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from hsc.errors import ObjectExistsError, ParameterError
from hsc.exporting import export_run


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """Give a file, and a run of a file and a text."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.txt").write_text("a note")
    for file in (tmp_path / "a.h5", folder / "a.h5"):
        with h5py.File(file, "w") as made:
            made["d"] = 1
    return {"file": tmp_path / "a.h5", "run": folder}


@pytest.mark.parametrize("kind", ["file", "run"])
def test_a_folder_with_other_things_is_never_replaced(keep, sources, tmp_path, kind) -> None:
    there = tmp_path / "there"
    (there / "deep").mkdir(parents=True)
    (there / "deep" / "mine.txt").write_text("mine")
    with pytest.raises(ObjectExistsError, match=r"mine\.txt"):
        export_run(keep(sources[kind]), there, overwrite=True)
    assert (there / "deep" / "mine.txt").read_text() == "mine"


def test_the_folder_of_the_same_run_is_replaced_when_asked(keep, sources, tmp_path) -> None:
    dataset, there = keep(sources["run"]), tmp_path / "there"
    export_run(dataset, there)
    (there / "notes.txt").write_text("another note")
    export_run(dataset, there, overwrite=True)
    assert (there / "notes.txt").read_text() == "a note"


@pytest.mark.parametrize("kind", ["file", "run"])
@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_place_without_a_name_is_refused(keep, sources, kind, name) -> None:
    with pytest.raises(ParameterError, match="no name"):
        export_run(keep(sources[kind]), name, overwrite=True)
