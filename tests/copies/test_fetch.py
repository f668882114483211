"""Fetched folders: whole or parts, checked, resumable; never zeros for what is not there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr
from blake3 import blake3

import hsc as python
from hsc import jobs
from hsc.errors import (
    ManifestError,
    MissingShardError,
    ObjectExistsError,
    RoleMissingError,
    StoreError,
)
from hsc.reading import open_dataset
from hsc.store import Manifest, ObjectEntry
from hsc.workers import Silent


def test_killed_a_fetch_shows_nobody_zeros_and_goes_on(
    made, kill_when_begun, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    kill_when_begun(folder, "fetch", made.pid, folder, "--max-rate", "400kB/s")
    with pytest.raises(FileNotFoundError):
        zarr.open_group(folder / "data.zarr", mode="r")
    done = made.fetch(folder)
    assert done.kept >= 1
    assert made.files(folder) == made.files()


def test_a_fetched_folder_opens_without_a_catalog_and_says_where_it_came_from(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    assert made.fetch(folder).not_fetched == ()
    assert made.files(folder) == made.files()
    monkeypatch.setenv("HSC_CATALOG", "sqlite:////nowhere/to/be/found.sqlite")
    tree = python.open(str(folder))
    assert all(np.array_equal(each.values, made.frames) for each in made.stacks(tree))
    assert not jobs.verify_folder(folder.as_uri()).damaged


def test_what_was_not_fetched_is_an_error_for_every_reader_until_the_rest_is_there(
    made, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    (chosen, other) = sorted(p for p in made.paths() if p.endswith("/data"))
    part = made.fetch(folder, chosen)
    assert other in part.not_fetched
    assert "files/notes/script.py" in part.not_fetched
    assert chosen not in part.not_fetched
    group = zarr.open_group(folder / "data.zarr", mode="r")
    assert np.array_equal(group[chosen][...], made.frames)
    for path in part.not_fetched:
        if path.startswith("files/"):
            continue
        with pytest.raises(ValueError, match="checksum"):
            group[path.strip("/")][...]
    tree = python.open(str(folder))
    with pytest.raises(MissingShardError, match="fetch the rest: `hsc fetch"):
        made.stacks(tree)[1].values  # noqa: B018
    found = jobs.verify_folder(folder.as_uri())
    assert not found.damaged
    assert "files/notes/script.py" in found.replicas[0].not_fetched
    with pytest.raises(MissingShardError, match="fetch the rest"):
        open_dataset(jobs.locate_folder(folder.as_uri()).record).files["notes/script.py"].read()
    more = made.fetch(folder, other)
    assert np.array_equal(zarr.open_group(folder / "data.zarr", mode="r")[chosen][...], made.frames)
    assert (more.objects, other in more.not_fetched) == (1, False)
    assert made.fetch(folder).not_fetched == ()
    assert made.files(folder) == made.files()
    with pytest.raises(RoleMissingError, match="/nowhere"):
        made.fetch(folder, "/nowhere")


def test_a_stub_in_a_store_is_damage(made, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    made.fetch(folder, made.paths()[0])
    (folder / ".fetched.json").unlink()
    assert jobs.verify_folder(folder.as_uri()).damaged


def test_a_manifest_that_is_damaged_meanwhile_is_not_brought_home(made, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(made.folder, there)

    class Damages(Silent):
        def finish(self) -> None:
            (there / "manifest").write_bytes(b"HSCM" + bytes(90))

    request = jobs.FetchRequest(location=there.as_uri(), folder=str(tmp_path / "in"), workers=1)
    with pytest.raises(ManifestError, match="damaged"):
        jobs.fetch(request, progress=Damages())
    assert not (tmp_path / "in" / "manifest").exists()


def test_a_folder_that_holds_something_else_is_left_alone(made, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ObjectExistsError, match="something else"):
        made.fetch(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("key", ["../out", "data.zarr/../../out", "/etc/out", "a\\..\\..\\out"])
def test_no_key_leads_out_of_the_folder(made, tmp_path: Path, key: str) -> None:
    evil = tmp_path / "evil"
    shutil.copytree(made.folder, evil)
    manifest = Manifest.decode((evil / "manifest").read_bytes(), "")
    bad = ObjectEntry(key, 3, blake3(b"bad").digest())
    altered = Manifest(manifest.root, (*manifest.entries, bad), manifest.source_id, manifest.files)
    (evil / "manifest").write_bytes(altered.encode())
    before = {str(p) for p in tmp_path.rglob("*")}
    request = jobs.FetchRequest(location=evil.as_uri(), folder=str(tmp_path / "in"))
    with pytest.raises(StoreError, match=r"leads out|is no key"):
        jobs.fetch(request)
    after = {str(p) for p in tmp_path.rglob("*") if "/in" not in str(p)}
    assert after == before


def test_a_link_in_the_folder_is_not_followed_out_of_it(made, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    made.fetch(folder, made.paths()[0])
    shutil.rmtree(folder / "data.zarr")
    (tmp_path / "elsewhere").mkdir()
    (folder / "data.zarr").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="leads out"):
        made.fetch(folder)
    assert not any((tmp_path / "elsewhere").iterdir())


def test_b3sum_checks_a_copy_by_its_list(made, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    made.fetch(folder)
    with python.connect() as catalog:
        lines = jobs.read_checksums(jobs.locate(catalog, made.pid))
    assert lines == (folder / "manifest.b3").read_text()
    listed = dict(line.split("  ", 1)[::-1] for line in lines.splitlines())
    assert {name: blake3(data).hexdigest() for name, data in made.files(folder).items()} == listed
    b3sum = shutil.which("b3sum")
    if b3sum is None:
        return
    check = [b3sum, "--check", "manifest.b3"]
    assert subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 0
    (folder / "manifest").write_bytes(b"other")
    assert subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 1


def test_the_commands_answer_in_one_document(made, command, tmp_path: Path) -> None:
    copied = command("--json", "replicate", made.pid, tmp_path / "far")
    assert copied["objects"] > 5
    shown = command("--json", "show", made.pid)
    assert copied["location"] in {each["location"] for each in shown["replicas"]}
    fetched = command("--json", "fetch", copied["location"], tmp_path / "here")
    assert fetched["root"] == copied["root"]
    said = command("show", made.pid, "--b3sum")
    assert said == (tmp_path / "here/manifest.b3").read_text()
