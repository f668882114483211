"""A lost catalog is made again from the store: every record, activity and edge, all private."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hsc.testing import BioSaxsPair


@pytest.fixture(scope="module")
def filled(shared, pair: BioSaxsPair, tree_file: Path) -> dict[str, str]:
    """Ingest and reduce; give the PIDs by what they are."""
    made = {
        "sample": shared.json("ingest", pair.sample)["datasets"][0]["pid"],
        "buffer": shared.json("ingest", pair.buffer)["datasets"][0]["pid"],
        "tree": shared.json("ingest", tree_file)["datasets"][0]["pid"],
    }
    roles = [f"{role}={made[role]}" for role in ("sample", "buffer")]
    made["reduced"] = shared.json("reduce", "biosaxs", *roles)["pid"]
    return made


def _copy(shared, hsc) -> str:
    store = hsc.home / "store"
    shutil.copytree(shared.home / "store", store)
    return str(store)


def test_a_lost_catalog_comes_back_with_all_its_history(shared, hsc, filled) -> None:
    store = str(shared.home / "store")
    new = f"sqlite:///{hsc.home / 'new.sqlite'}"
    told = hsc.json("catalog", "rebuild", store, "--catalog", new)
    assert set(told["registered"]) == {f"{pid}@1" for pid in filled.values()}
    assert told["skipped"] == []
    for pid in filled.values():
        before = shared.json("show", pid)
        after = hsc.json("show", pid, env={"HSC_CATALOG": new})
        assert after == before
        assert after["record"]["visibility"] == "private"
        walk = ("lineage", pid, "--up", "--down")
        before, after = shared.json(*walk), hsc.json(*walk, env={"HSC_CATALOG": new})
        assert sorted(map(str, after["edges"])) == sorted(map(str, before["edges"]))
    done = shared.json("activities")["activities"]
    again = hsc.json("activities", env={"HSC_CATALOG": new})["activities"]
    assert sorted(map(str, again)) == sorted(map(str, done))


def test_rebuilding_twice_changes_nothing(shared, hsc, filled) -> None:
    store = str(shared.home / "store")
    first = hsc.json("catalog", "rebuild", store)
    second = hsc.json("catalog", "rebuild", store)
    assert (len(first["registered"]), first["known"]) == (len(filled), 0)
    assert (second["registered"], second["known"]) == ([], len(filled))
    assert hsc.json("search")["total"] == len(filled)


def test_a_store_that_was_never_written_to_is_named(hsc, tmp_path: Path) -> None:
    store = tmp_path / "stoer"
    answer = hsc("gc", str(store))
    assert f"never wrote to {store.as_uri()}" in answer.stderr
    assert hsc.json("gc", str(store))["attempts"] == 0
    # No catalog is made again of a store that was mistyped.
    told = hsc("catalog", "rebuild", str(store), code=1).error_parts()
    assert told[0].startswith("hsc never wrote to this store")
    assert told[1] == store.as_uri()
    assert hsc.json("catalog", "rebuild", str(store), code=1)["error"] == "ObjectMissingError"


def test_a_store_that_moved_is_read_where_it_is_now(shared, hsc, filled) -> None:
    store = _copy(shared, hsc)
    hsc.json("catalog", "rebuild", store)
    location = hsc.json("show", filled["tree"])["location"]
    assert location.startswith(Path(store).as_uri())
    assert hsc.json("export", filled["reduced"], hsc.home / "curve.h5")["bytes"] > 0


def test_damaged_and_unfinished_versions_are_named_and_skipped(shared, hsc, filled) -> None:
    store = Path(_copy(shared, hsc))
    manifests = {path.parent.parent.name: path for path in store.rglob("manifest")}
    manifest, gone, crate = (
        manifests[filled[name].partition("/")[2]] for name in ("sample", "tree", "buffer")
    )
    manifest.write_bytes(manifest.read_bytes()[:-1])
    next(gone.parent.rglob("zarr.json")).unlink()
    text = (crate.parent / "ro-crate-metadata.json").read_bytes()
    (crate.parent / "ro-crate-metadata.json").write_bytes(text.replace(b"P12", b"P13"))
    told = hsc.json("catalog", "rebuild", store, code=3)
    assert told["registered"] == [f"{filled['reduced']}@1"]
    named = {each["path"].split("/")[-2]: each["error"] for each in told["skipped"]}
    assert named == {
        filled["sample"].partition("/")[2]: "ManifestError",
        filled["tree"].partition("/")[2]: "MissingShardError",
        filled["buffer"].partition("/")[2]: "CorruptShardError",
    }
    assert all(each["next"] for each in told["skipped"])
