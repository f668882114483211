"""Files there and back: what is exported is what was taken in, to the same root."""

from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from hsc.errors import GapError, LayoutError, ObjectExistsError
from hsc.exporting import Filters, export_run
from hsc.exporting.parts import run_parts
from hsc.testing import (
    DectrisRun,
    Detector,
    ExfelRun,
    write_dectris_channels,
    write_dectris_run,
    write_exfel_run,
)

STACK = np.random.default_rng(3).poisson(3, (7, 41, 53)).astype("u2")
KINDS = {
    "bitshuffle": hdf5plugin.Bitshuffle(cname="lz4"),
    "bitshuffle zstd": hdf5plugin.Bitshuffle(cname="zstd"),
    "lz4": hdf5plugin.LZ4(nbytes=1024),
    "blosc": hdf5plugin.Blosc(cname="zstd"),
    "zstd": hdf5plugin.Zstd(),
    "none": {},
    "fletcher32": {"fletcher32": True},
    "bitshuffle fletcher32": {**hdf5plugin.Bitshuffle(cname="lz4"), "fletcher32": True},
    "deflate shuffle": {"compression": "gzip", "compression_opts": 4, "shuffle": True},
    "deflate fletcher32": {"compression": "gzip", "fletcher32": True},
    "lzf": {"compression": "lzf", "shuffle": True},
    "scale-offset": {"scaleoffset": 0},
}


def chunks_of(path: Path, name: str = "d") -> dict[tuple[int, ...], tuple[int, bytes]]:
    """Give mask and bytes of every chunk as they lie in a file."""
    with h5py.File(path) as file:
        dataset = file[name].id
        found: list[tuple[int, ...]] = []
        dataset.chunk_iter(lambda info: found.append(info.chunk_offset))
        return {at: dataset.read_direct_chunk(at) for at in found}


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_come_back_with_the_bytes_that_they_had(there_and_back, tmp_path, kind) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        made = file.create_dataset(
            "d", (9, 41, 53), "u2", chunks=(1, 41, 53), maxshape=(None, 41, 53), fillvalue=9,
            **KINDS[kind],
        )  # fmt: skip
        made[:7] = STACK
    back = there_and_back(source)
    assert chunks_of(back.path) == chunks_of(source)
    assert set(chunks_of(source)) == {(n, 0, 0) for n in range(7)}
    with h5py.File(back.path) as file:
        assert (file["d"].maxshape, file["d"].fillvalue) == ((None, 41, 53), 9)
    assert back.exported.gaps == back.exported.notes == ()


def write_everything(path: Path) -> None:
    """Write a file that has some of every construct."""
    with h5py.File(path, "w") as file:
        file.attrs["text"] = "Ä"
        file.attrs["fixed"] = np.bytes_("abc")
        file.attrs["nan"] = np.float32("nan")
        file.attrs["matrix"] = np.arange(6, dtype=">i2").reshape(2, 3)
        file.attrs["none"] = h5py.Empty("f4")
        pair = np.dtype([("a", ">i4"), ("b", "f4", (2,)), ("c", h5py.string_dtype())])
        pairs = np.zeros(3, pair)
        pairs["a"], pairs["c"] = [1, 2, 3], ["x", "", "zz"]
        file.create_dataset("compound", data=pairs, chunks=(2,), compression="gzip")
        nested = np.dtype([("in", np.dtype([("x", "u1"), ("y", "<f8")])), ("s", "S3")])
        file.create_dataset("nested", data=np.ones((2, 2), nested))
        ragged = file.create_dataset("ragged", (3,), h5py.vlen_dtype(np.dtype(">i4")))
        ragged[0], ragged[2] = np.arange(2, dtype=">i4"), np.arange(5, dtype=">i4")
        full = file.create_dataset("full", (2,), h5py.vlen_dtype(np.dtype("S2")))
        full[0] = np.array([b"ab", b"c"])
        file.create_dataset("words", data=["a", "bü", ""], dtype=h5py.string_dtype())
        file.create_dataset("latin", data=[b"\xff", b"a"], dtype=h5py.string_dtype("ascii"))
        file.create_dataset("short", data=np.array([b"ab\0", b"c"], "S3"))
        file.create_dataset("flags", data=[True, False])
        colours = h5py.enum_dtype({"RED": 1, "BLUE": 7}, "u2")
        file.create_dataset("enum", data=np.array([1, 7], "u2"), dtype=colours)
        file["complex"] = np.array([1 + 2j], "c8")
        file["half"] = np.array([1.5], "<f2")
        file["scalar"] = 5
        file["nothing"] = h5py.Empty("i8")
        file.create_dataset("zero", (0, 3), "f4", maxshape=(None, 3))
        file.create_dataset("never", (4,), "f8", fillvalue=2.5)
        file.create_dataset("rows", data=np.arange(10_000, dtype="<i4").reshape(100, 100),
                            chunks=(7, 11), compression="gzip")  # fmt: skip
        file["kind"] = np.dtype("i4,f4")
        file.create_dataset("of a kind", data=np.zeros(2, "i4,f4"), dtype=file["kind"])
        group = file.create_group("g/Ä b")
        group["target"] = np.arange(5)
        file["hard"] = group["target"]
        file["soft"] = h5py.SoftLink("/g/Ä b/target")
        ordered = file.create_group("ordered", track_order=True)
        for name in ("c", "a", "b"):
            ordered[name] = h5py.SoftLink("/x") if name == "a" else 1
            ordered.attrs[name] = 1
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["g/self"] = file["g"]
        refs = file.create_dataset("references", (2,), h5py.ref_dtype)
        refs[0] = group.ref
        region = file.create_dataset("regions", (1,), h5py.regionref_dtype)
        region[0] = group["target"].regionref[1:3]
        group["target"].make_scale("x")
        file["rows"].dims[0].attach_scale(group["target"])
        file.create_dataset("compact", data=np.arange(3), dcpl=_compact())
        opaque = h5py.h5t.create(h5py.h5t.OPAQUE, 5)
        opaque.set_tag(b"five")
        h5py.h5d.create(file.id, b"opaque", opaque, h5py.h5s.create_simple((2,))).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.frombuffer(b"abcdefghij", "V5"), mtype=opaque
        )


def _compact() -> h5py.h5p.PropDCID:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    return properties


def test_a_file_with_some_of_everything_comes_back_to_the_same_root(
    there_and_back, keep, tmp_path, h5diff
) -> None:
    source = tmp_path / "all.h5"
    write_everything(source)
    back = there_and_back(source)
    assert (back.exported.gaps, back.exported.notes) == ((), ())
    # The root is made of every value, attribute, link, type and chunk of the file.
    assert keep(back.path).record.root == back.dataset.record.root
    h5diff(source, back.path)


def test_a_change_in_what_came_back_makes_another_root(there_and_back, keep, tmp_path) -> None:
    source = tmp_path / "all.h5"
    write_everything(source)
    back = there_and_back(source)
    with h5py.File(back.path, "a") as file:
        file["g/Ä b/target"].attrs["new"] = 1
    assert keep(back.path).record.root != back.dataset.record.root


@pytest.mark.parametrize("filters", ["blosc", "gzip"])
def test_other_filters_hold_the_same_values(there_and_back, tmp_path, filters) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        for number, kind in enumerate(("bitshuffle", "deflate shuffle", "zstd")):
            file.create_dataset(f"d{number}", data=STACK, chunks=(1, 41, 53), **KINDS[kind])
        file["plain"] = STACK
    back = there_and_back(source, filters=Filters(filters))
    wanted = {"blosc": {32001}, "gzip": {1, 2}}[filters]
    with h5py.File(back.path) as file:
        for name, dataset in file.items():
            assert np.array_equal(dataset[...], STACK)
            plist = dataset.id.get_create_plist()
            used = {plist.get_filter(n)[0] for n in range(plist.get_nfilters())}
            assert used == (set() if name == "plain" else wanted)


def runs(folder: Path) -> dict[str, Path]:
    """Write a run of each kind."""
    small = Detector(shape=(64, 60), module_shape=(30, 60), gap_shape=(4, 10))
    run = DectrisRun(frames=5, frames_per_file=2, detector=small)
    write_dectris_run(folder / "dectris", run)
    (folder / "dectris" / "notes").mkdir()
    (folder / "dectris" / "notes" / "a.txt").write_text("cold")
    write_dectris_channels(
        folder / "channels",
        run,
        lambda image, channel: np.full((64, 60), image + channel, run.dtype),
    )
    write_exfel_run(folder / "exfel", ExfelRun(sequences=((10, 11),)))
    many = folder / "many"
    (many / "raw").mkdir(parents=True)
    for number in range(2):
        with h5py.File(many / "raw" / f"{number}.h5", "w") as file:
            file.create_dataset("d", data=STACK, chunks=(1, 41, 53), compression="gzip")
    with h5py.File(many / "all.h5", "w") as file:
        layout = h5py.VirtualLayout((2, *STACK.shape), "u2")
        for number in range(2):
            layout[number] = h5py.VirtualSource(f"raw/{number}.h5", "d", STACK.shape)
        file.create_virtual_dataset("all", layout, fillvalue=3)
        file["link"] = h5py.ExternalLink("raw/0.h5", "/d")
    (many / "latest.h5").symlink_to("raw/1.h5")
    (many / "log.txt").write_text("done")
    return {each.name: each for each in folder.iterdir()}


@pytest.mark.parametrize("kind", ["dectris", "channels", "exfel", "many"])
def test_a_run_comes_back_as_its_folder(there_and_back, keep, tmp_path, kind, h5diff) -> None:
    source = runs(tmp_path / "runs")[kind]
    back = there_and_back(source)
    assert (back.exported.gaps, back.exported.notes) == ((), ())
    named = {each.relative_to(source).as_posix() for each in source.rglob("*")}
    assert {each.relative_to(back.path).as_posix() for each in back.path.rglob("*")} == named
    assert keep(back.path).record.root == back.dataset.record.root
    for name in sorted(named):
        if name.endswith(".h5"):
            h5diff(source / name, back.path / name)
        elif (source / name).is_file():
            assert (source / name).read_bytes() == (back.path / name).read_bytes()
    if kind == "many":
        with h5py.File(back.path / "all.h5") as file:
            assert file["all"].is_virtual
            assert np.array_equal(file["all"][1], STACK)
        assert os.readlink(back.path / "latest.h5") == os.path.join("raw", "1.h5")


def test_what_a_link_leads_to_comes_back_in_its_file(there_and_back, tmp_path) -> None:
    folder = tmp_path / "pair"
    folder.mkdir()
    with h5py.File(folder / "b.h5", "w") as file:
        file["g/x"] = np.arange(4)
    with h5py.File(folder / "a.h5", "w") as file:
        file["there"] = h5py.ExternalLink("b.h5", "/g")
    back = there_and_back(folder / "a.h5")
    with h5py.File(back.path / "a.h5") as file:
        assert file["there/x"][...].tolist() == [0, 1, 2, 3]
        assert file.get("there", getlink=True).filename == "b.h5"


def test_gaps_are_left_out_and_told_in_the_file(there_and_back, tmp_path) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        kind = KINDS["bitshuffle"]
        made = file.create_dataset("d", data=STACK, chunks=(1, 41, 53), **kind)
        at = made.id.get_chunk_info(2)
    with open(source, "r+b") as raw:
        raw.seek(at.byte_offset)
        raw.write(bytes(at.size))
    back = there_and_back(source, policy="quarantine")
    assert [gap.path for gap in back.exported.gaps][:1] == ["/d"]
    assert (2, 0, 0) not in chunks_of(back.path)
    with h5py.File(back.path) as file:
        told = json.loads(file.attrs["hsc_gaps"])
        assert np.array_equal(file["d"][3], STACK[3])
    assert told[0]["path"] == "/d"
    with pytest.raises(GapError, match="--gaps note"):
        export_run(back.dataset, tmp_path / "b.h5", refuse_gaps=True)
    assert not (tmp_path / "b.h5").exists()


class Stopped:
    """Progress that somebody stops with Ctrl-C at the first bytes."""

    def start(self, stage: str, total: int, unit: str) -> None:
        assert (stage, unit) == ("export", "bytes")

    def advance(self, amount: int) -> None:
        raise KeyboardInterrupt

    def finish(self) -> None:
        raise AssertionError


@pytest.mark.parametrize("kind", ["dectris", "file"])
def test_a_stopped_export_leaves_nothing(keep, tmp_path, kind) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        file.create_dataset("d", data=STACK, chunks=(1, 41, 53), **KINDS["bitshuffle"])
    dataset = keep(source if kind == "file" else runs(tmp_path / "runs")["dectris"])
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(KeyboardInterrupt):
        export_run(dataset, out / "x", progress=Stopped())
    assert list(out.iterdir()) == []


def test_nothing_is_written_over_unless_asked(there_and_back, tmp_path) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        file["d"] = 1
    back = there_and_back(source)
    before = back.path.stat().st_ino
    with pytest.raises(ObjectExistsError):
        export_run(back.dataset, back.path)
    assert back.path.stat().st_ino == before
    export_run(back.dataset, back.path, overwrite=True)
    assert back.path.stat().st_ino != before


@pytest.mark.parametrize("name", ["../x.h5", "/x.h5", "a/../../x.h5"])
def test_a_name_that_leads_out_of_the_folder_is_refused(keep, tmp_path, name) -> None:
    source = runs(tmp_path / "runs")["many"]
    dataset = keep(source)
    dataset.documents["/all.h5"]["attributes"]["hsc:file"] = name
    with pytest.raises(LayoutError, match="leads out"):
        run_parts(dataset)
