"""Files that other people's programs wrote: an EIGER 4M frame, a run of European XFEL's AGIPD."""

from __future__ import annotations

from pathlib import Path

import h5py

EIGER = "hdf5plugin/test/bitshuffle.h5"
AGIPD = "exfel_mock/spb_raw_12"


def test_a_real_eiger_frame_is_rewrapped_and_pixel_equal_in_stock_zarr(
    hsc, realfiles: Path, without_hsc
) -> None:
    source = realfiles / EIGER
    made = hsc.json("ingest", source, "--verify", "full")["datasets"][0]
    assert [(each["path"], each["way"]) for each in made["arrays"]] == [
        ("/entry/data/data", "rewrap")
    ]
    location = hsc.json("show", made["pid"])["location"].removeprefix("file://")
    # The pixels travelled as they were packed: no more than metadata was added.
    written = [file for file in Path(location, "data.zarr").rglob("*") if file.is_file()]
    assert 0.99 < sum(file.stat().st_size for file in written) / made["bytes_in"] < 1.01
    told = without_hsc(
        f"""
import h5py, hdf5plugin, zarr
mine = zarr.open_group({location + "/data.zarr"!r}, mode="r")["entry/data/data"]
theirs = h5py.File({str(source)!r})["entry/data/data"]
json.dump({{
    "equal": bool((mine[()] == theirs[()]).all()),
    "same": mine.shape == theirs.shape and mine.dtype == theirs.dtype,
    "counts": int(mine[()].sum()),
    "hsc": [name for name in sys.modules if name.startswith("hsc")],
}}, sys.stdout)
"""
    )
    assert told["equal"]
    assert told["same"]
    assert told["counts"] > 0
    assert told["hsc"] == []


def test_a_whole_agipd_run_goes_in_with_its_sparse_arrays_sparse(
    hsc, realfiles: Path, without_hsc, stock_tree
) -> None:
    files = sorted((realfiles / AGIPD).glob("*.h5"))
    modules = [file for file in files if "AGIPD" in file.name]
    assert (len(modules), len(files)) == (16, 18)
    report = hsc.json("ingest", *files)
    assert report["errors"] == []
    assert [Path(each["source"]) for each in report["datasets"]] == files
    assert {each["layout"] for each in report["datasets"]} == {"plain"}
    for file, made in zip(files, report["datasets"], strict=True):
        assert _declared_bytes(file) > 10 * made["bytes_out"], file.name
    images = [
        array
        for made in report["datasets"]
        for array in made["arrays"]
        if array["path"].endswith(":xtdf/image/data")
    ]
    assert {tuple(array["shape"]) for array in images} == {(4096, 2, 512, 128)}
    assert len(images) == 16
    # No pixel was ever written to these images: they are nothing but metadata.
    assert not [key for key in hsc.objects() if "/image/data/c/" in key]
    _assert_equal(hsc, files[0], report["datasets"][0], without_hsc, stock_tree)
    _assert_equal(hsc, files[-1], report["datasets"][-1], without_hsc, stock_tree)


def _declared_bytes(path: Path) -> int:
    total = 0

    def add(_: str, node: object) -> None:
        nonlocal total
        if isinstance(node, h5py.Dataset):
            total += node.nbytes

    with h5py.File(path) as file:
        file.visititems(add)
    return total


def _assert_equal(hsc, file: Path, made: dict[str, str], without_hsc, stock_tree) -> None:
    """Compare every array of less than 10 MB with the file, in stock zarr and h5py."""
    location = hsc.json("show", made["pid"])["location"]
    told = without_hsc(
        f"""
import h5py, zarr
{stock_tree(location)}
different, compared = [], 0
def same(ours, theirs):
    if h5py.check_string_dtype(theirs.dtype) is not None:
        return ours[()].tolist() == theirs.asstr()[()].tolist()
    return ours.dtype == theirs.dtype and ours[()].tobytes() == theirs[()].tobytes()
def look(name, node):
    global compared
    if isinstance(node, h5py.Dataset) and node.nbytes < 10_000_000:
        compared += 1
        group = tree
        for part in name.split("/"):
            held = dict(group.members())
            true = {{child.attrs.get("hsc:name", key): child for key, child in held.items()}}
            group = true[part]
        if not same(group, node):
            different.append(name)
with h5py.File({str(file)!r}) as source:
    source.visititems(look)
json.dump({{"compared": compared, "different": different}}, sys.stdout)
"""
    )
    assert told["compared"] > 30
    assert told["different"] == []
