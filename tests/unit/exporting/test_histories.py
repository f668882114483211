"""Histories are written whole or not at all, and replace nothing unasked."""

from __future__ import annotations

import json
import zipfile

import pytest
from rocrate.rocrate import ROCrate
from unit.provenance.histories import CURVE, RAW, RECORDS, Shelf, lineage

from hsc.errors import ObjectExistsError, ObjectMissingError
from hsc.exporting import write_crate_files, write_picture, write_prov
from hsc.model import Lineage
from hsc.provenance import History, gather, stale


@pytest.fixture
def history() -> History:
    return gather(lineage(), Shelf(*RECORDS))


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_picture, "a.svg"), (write_prov, "a.json"), (write_crate_files, "a.zip")],
)
def test_a_file_that_is_there_is_replaced_only_when_asked(history, tmp_path, write, name):
    write(history, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(ObjectExistsError):
        write(history, tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"mine"
    write(history, tmp_path / name, overwrite=True)
    assert (tmp_path / name).read_bytes() == first
    with pytest.raises(ObjectMissingError):
        write(history, tmp_path / "nowhere" / name)


@pytest.mark.parametrize("write", [write_picture, write_prov, write_crate_files])
def test_a_name_that_cannot_be_written_is_refused_by_name(history, tmp_path, write):
    wanted = tmp_path / "taken"
    if write is write_crate_files:
        wanted.write_text("mine")  # a crate is a folder
    else:
        wanted.mkdir()
    with pytest.raises(ObjectExistsError) as caught:
        write(history, wanted, overwrite=True)
    assert caught.value.where == str(wanted)
    with pytest.raises(ObjectMissingError):
        write(history, tmp_path / "nowhere" / "crate")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_folder_and_zip_hold_the_same_crate(history, tmp_path):
    write_crate_files(history, tmp_path / "crate")
    write_crate_files(history, tmp_path / "crate.zip")
    with zipfile.ZipFile(tmp_path / "crate.zip") as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == {
            path.name: path.read_bytes() for path in (tmp_path / "crate").iterdir()
        }
    assert ROCrate(tmp_path / "crate.zip").mainEntity.id == "history.json"
    (tmp_path / "crate" / "mine.txt").write_text("mine")
    with pytest.raises(ObjectExistsError):
        write_crate_files(history, tmp_path / "crate")
    write_crate_files(history, tmp_path / "crate", overwrite=True)
    assert (tmp_path / "crate" / "mine.txt").read_text() == "mine"


def test_what_rests_on_an_input_with_a_newer_version_is_marked(history, tmp_path):
    told = history.lineage
    newer = f"{RAW}@2"
    nodes = tuple(
        node.model_copy(update={"newer": newer}) if node.id == f"{RAW}@1" else node
        for node in told.nodes
    )
    old = Lineage(nodes=nodes, edges=told.edges)
    assert stale(old) == {f"{CURVE}@1": newer}
    assert stale(told) == {}
    write_picture(gather(old, Shelf(*RECORDS)), tmp_path / "a.svg")
    assert f"an input is now {newer}" in (tmp_path / "a.svg").read_text("utf-8")


def test_prov_on_disk_is_json(history, tmp_path):
    write_prov(history, tmp_path / "prov.json")
    assert json.loads((tmp_path / "prov.json").read_text("utf-8"))["entity"]
