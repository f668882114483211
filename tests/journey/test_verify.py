"""Verify finds every kind of damage, names it, and repairs nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import hsc as python
from hsc import jobs
from hsc.cli.main import app
from hsc.errors import ArchivedError, SourceChangedError
from hsc.model import ReplicaState
from hsc.store import Manifest, pack_key

FRAMES = np.random.default_rng(7).integers(0, 2**16, (6, 300, 300), dtype="u2")


def write_source(path: Path, *, small: int = 0) -> Path:
    """Write a stack in several chunks and as many small arrays as asked."""
    with h5py.File(path, "w") as file:
        file.create_dataset("stack", data=FRAMES, chunks=(1, 300, 300), compression="gzip")
        file.create_dataset("zipped", data=FRAMES[::-1], chunks=(2, 300, 300), compression="gzip")
        for number in range(small):
            file[f"values/value_{number}"] = np.arange(number + 1)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    """Work in a state directory that the tests of this file share."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSC_HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test work there."""
    monkeypatch.setenv("HSC_HOME", str(place))


@pytest.fixture(scope="module")
def plain(place: Path) -> jobs.IngestedDataset:
    """Take in a dataset whose objects lie by themselves."""
    return python.ingest(write_source(place / "plain.h5"), verify="none")


@pytest.fixture(scope="module")
def packed(place: Path) -> jobs.IngestedDataset:
    """Take in a dataset with packs."""
    return python.ingest(write_source(place / "packed.h5", small=80), verify="none")


def folder_of(dataset: jobs.IngestedDataset) -> Path:
    with python.connect() as catalog:
        return Path(catalog.get(dataset.pid).location.removeprefix("file://"))


def verify(dataset: jobs.IngestedDataset, folder: Path) -> jobs.Verification:
    return jobs.verify(jobs.VerifyRequest(pid=dataset.pid, replica=folder.as_uri(), workers=2))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def truncate(path: Path, at: int) -> None:
    path.write_bytes(path.read_bytes()[:at])


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def made_up(path: Path) -> None:
    """Alter the manifest and give it a digest that holds."""
    manifest = Manifest.decode(path.read_bytes(), "")
    table = next(entry.chunks for entry in manifest.entries if len(entry.chunks) > 1)
    entries = tuple(
        type(entry)(
            entry.key, entry.nbytes, entry.digest,
            type(entry.chunks)(
                entry.chunks.states, entry.chunks.offsets, entry.chunks.lengths,
                entry.chunks.crcs ^ np.uint32(1),
            ),
        )
        if entry.chunks is table else entry
        for entry in manifest.entries
    )  # fmt: skip
    path.write_bytes(Manifest(manifest.root, entries, manifest.source_id, manifest.files).encode())


CHECKSUM = 300 * 300 * 2 + 16  # noise is stored as it is, behind a header of Blosc's
STACK = "data.zarr/stack/c/0/0/0"
ZIPPED = "data.zarr/zipped/c/0/0/0"
DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "gone": (lambda f: (f / STACK).unlink(), STACK, "MissingShardError"),
    "zero bytes": (lambda f: (f / STACK).write_bytes(b""), STACK, "CorruptShardError"),
    "truncated": (
        lambda f: truncate(f / STACK, -9),
        STACK, "CorruptShardError",
    ),
    "zeroed": (
        lambda f: (f / STACK).write_bytes(bytes((f / STACK).stat().st_size)),
        STACK, "CorruptShardError",
    ),
    "longer": (
        lambda f: (f / STACK).write_bytes((f / STACK).read_bytes() + b"x"),
        STACK, "CorruptShardError",
    ),
    "a bit of a chunk": (lambda f: flip(f / STACK, 5000), STACK, "CorruptShardError"),
    "a bit of a checksum": (lambda f: flip(f / STACK, CHECKSUM), STACK, "CorruptShardError"),
    "a bit of the index": (lambda f: flip(f / STACK, -7), STACK, "CorruptShardError"),
    "a bit of metadata": (
        lambda f: flip(f / "data.zarr/zarr.json", 9), "data.zarr/zarr.json", "CorruptShardError"
    ),
    "swapped": (lambda f: swap(f / STACK, f / ZIPPED), STACK, "CorruptShardError"),
    "manifest gone": (lambda f: (f / "manifest").unlink(), "manifest", "ManifestError"),
    "a bit of the manifest": (lambda f: flip(f / "manifest", 99), "manifest", "ManifestError"),
    "a made-up manifest": (lambda f: made_up(f / "manifest"), STACK, "ManifestError"),
    "crate gone": (
        lambda f: (f / "ro-crate-metadata.json").unlink(),
        "ro-crate-metadata.json", "MissingShardError",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_found_and_named_and_left_as_it_is(plain, tmp_path: Path, kind: str) -> None:
    harm, key, error = DAMAGES[kind]
    folder = tmp_path / "copy"
    shutil.copytree(folder_of(plain), folder)
    harm(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = verify(plain, folder)
    named = {(each.key, each.error) for each in found.damaged}
    assert (key, error) in named
    assert {each.key for each in found.damaged} <= {key, ZIPPED, "ro-crate-metadata.json"}
    assert all(each.where and each.message and each.next for each in found.damaged)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_damaged_chunk_is_numbered(plain, tmp_path: Path) -> None:
    shutil.copytree(folder_of(plain), tmp_path / "copy")
    flip(tmp_path / "copy" / STACK, 2 * CHECKSUM + 100)
    (one,) = verify(plain, tmp_path / "copy").damaged
    assert one.chunks == (2,)


def test_what_lies_where_nothing_was_written_is_damage(place: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "sparse.h5", "w") as file:
        file.create_dataset("never", (4, 8), "u2", chunks=(1, 8))
        file["there"] = 1
    made = python.ingest(tmp_path / "sparse.h5", verify="none")
    shutil.copytree(folder_of(made), tmp_path / "copy")
    assert not verify(made, tmp_path / "copy").damaged
    stranger = tmp_path / "copy/data.zarr/never/c/0/0"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"zeros, or worse")
    (one,) = verify(made, tmp_path / "copy").damaged
    assert one.key == "data.zarr/never/c/0/0"


def test_packs_and_what_lies_in_them_are_looked_at(packed, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(folder_of(packed), folder)
    whole = verify(packed, folder)
    assert not whole.damaged
    assert whole.bytes == sum(
        p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.name != "manifest"
    )
    manifest = Manifest.decode((folder / "manifest").read_bytes(), "")
    held = next(entry for entry in manifest.entries if entry.packed and "value_7/c" in entry.key)
    flip(folder / pack_key(held.pack), held.pack_offset + 1)
    found = {each.key for each in verify(packed, folder).damaged}
    assert found == {pack_key(held.pack), held.key}


def test_the_catalog_is_told_when_a_replica_was_whole_and_when_not(plain) -> None:
    pid, request = plain.pid, jobs.VerifyRequest(pid=plain.pid, every=True)
    found = jobs.verify(request)
    assert (found.pid, found.version, found.damaged) == (pid, 1, ())
    with python.connect() as catalog:
        (stands,) = catalog.replicas(pid)
        activity = catalog.activities(limit=1)[0]
    assert (activity.type, activity.state.value) == ("verify", "done")
    assert (stands.state, stands.activity) == (ReplicaState.ONLINE, activity.id)
    assert stands.verified is not None
    shard = folder_of(plain) / STACK
    kept = shard.read_bytes()
    shard.write_bytes(kept[::-1])
    try:
        assert jobs.verify(request).damaged
        with python.connect() as catalog:
            (after,) = catalog.replicas(pid)
        assert (after.state, after.verified) == (ReplicaState.DAMAGED, stands.verified)
    finally:
        shard.write_bytes(kept)
    assert not jobs.verify(request).damaged
    with python.connect() as catalog:
        assert catalog.replicas(pid)[0].state is ReplicaState.ONLINE


def test_a_claim_that_is_gone_is_damage_of_the_store(place: Path) -> None:
    made = python.ingest(write_source(place / "claimed.h5", small=2), verify="none")
    claims = (place / "store/.claims").iterdir()
    (claim,) = (p for p in claims if json.loads(p.read_bytes())["pid"] == str(made.pid))
    kept = claim.read_bytes()
    claim.unlink()
    (one,) = jobs.verify(jobs.VerifyRequest(pid=made.pid)).damaged
    assert one.key == f".claims/{claim.name}"
    claim.write_bytes(kept)
    assert not jobs.verify(jobs.VerifyRequest(pid=made.pid)).damaged


def test_against_its_source_both_are_decoded_and_another_source_is_refused(
    plain, place: Path
) -> None:
    request = jobs.VerifyRequest(pid=plain.pid, source=str(place / "plain.h5"))
    assert jobs.verify(request).compared == len(FRAMES) + len(FRAMES) // 2
    other = write_source(place / "other.h5", small=3)
    with pytest.raises(SourceChangedError, match=str(plain.pid)):
        jobs.verify(jobs.VerifyRequest(pid=plain.pid, source=str(other)))


def test_what_is_archived_says_how_to_ask_for_it(packed, tmp_path: Path) -> None:
    with python.connect() as catalog:
        activity = catalog.activities(limit=1)[0]
        (stands,) = catalog.replicas(packed.pid)
        cold = stands.model_copy(
            update={"state": ReplicaState.ARCHIVED, "location": (tmp_path / "tape").as_uri()}
        )
        catalog.register_replica(packed.pid, cold, activity)
        assert jobs.locate(catalog, packed.pid).locations == (stands.location,)
    with pytest.raises(ArchivedError, match=r"ask the operators(.|\n)*tape"):
        jobs.verify(jobs.VerifyRequest(pid=packed.pid, replica=cold.location))
    shutil.copytree(folder_of(packed), tmp_path / "tape")
    assert not jobs.verify(jobs.VerifyRequest(pid=packed.pid, replica=cold.location)).damaged
    with python.connect() as catalog:
        assert catalog.replicas(packed.pid)[-1].state is ReplicaState.ONLINE


def test_the_command_gives_damage_as_exit_1_and_one_document(plain, shared, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(folder_of(plain), folder)
    whole = shared.json("verify", folder)
    assert (whole["pid"], whole["objects"] > 5, whole["damaged"]) == (str(plain.pid), True, [])
    flip(folder / STACK, 77)
    damaged = shared.json("verify", folder, code=1)
    assert damaged["error"] == "CorruptShardError"
    assert [each["key"] for each in damaged["damaged"]] == [STACK]
    said = shared("verify", folder, code=1)
    assert f"damaged: {STACK}" in said.stdout
    assert "chunks: 0" in said.stdout


def test_a_replica_that_cannot_be_reached_keeps_nobody_from_the_others(place: Path) -> None:
    plain = python.ingest(write_source(place / "away.h5", small=3), verify="none")
    away = "nosuch://far/away/v1"
    with python.connect() as catalog:
        here = catalog.replicas(plain.pid)[0]
        told = here.model_copy(update={"location": away, "verified": None})
        catalog.register_replica(plain.pid, told, catalog.activities(limit=1)[0])
        found = jobs.verify(jobs.VerifyRequest(pid=plain.pid, every=True))
        assert [each.location for each in found.replicas if each.failure] == [away]
        assert not found.damaged
        assert [each.objects > 0 for each in found.replicas if not each.failure] == [True]
        after = {each.location: each for each in catalog.replicas(plain.pid)}
        # Of what nobody looked at nothing is said.
        assert after[away].verified is None
        assert after[away].state is ReplicaState.ONLINE
        assert after[here.location].verified is not None
    done = CliRunner().invoke(app, ["verify", str(plain.pid), "--all"])
    assert done.exit_code == 1
    assert f"{away}: not verified" in done.stdout
