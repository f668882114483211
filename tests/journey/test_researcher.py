"""A researcher finds data, opens it lazily, follows its history, reduces it, takes a curve home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import numpy as np
import pytest

import hsc as verbs
from hsc.errors import (
    DatasetNotFoundError,
    HscError,
    InvalidPidError,
    MissingShardError,
    RoleMissingError,
)


@pytest.fixture(scope="module")
def ingested(shared, pair, tree_file) -> dict[str, str]:
    """Ingest buffer, sample and a plain tree; give their PIDs."""
    report = shared.json("ingest", pair.buffer, pair.sample, tree_file, "--facility", "desy")
    names = ("buffer", "sample", "tree")
    return {name: each["pid"] for name, each in zip(names, report["datasets"], strict=True)}


def _frames(master: Path) -> np.ndarray[Any, Any]:
    files = sorted(master.parent.glob("*_data_*.h5"))
    return np.concatenate([h5py.File(file)["entry/data/data"][()] for file in files])


def test_search_finds_by_words_facets_and_bounds_in_any_unit(in_place, ingested) -> None:
    sample = ingested["sample"]
    for bound in ("photon_energy > 12 keV", "photon_energy < 12500 eV", "wavelength < 0.2 nm"):
        found = verbs.search("spheres", where=bound, facility="desy", kind="raw")
        assert [str(each.pid) for each in found.datasets] == [sample], bound
    assert verbs.search(where=["photon_energy > 12 keV", "photon_energy > 13 keV"]).total == 0
    bounds = ("--kind", "raw", "--where", "photon_energy > 12 keV")
    assert in_place.json("search", "spheres", *bounds)["total"] == 1
    with verbs.connect() as catalog:
        assert catalog.get(found.datasets[0].pid).title == found.datasets[0].title


def test_open_is_lazy_and_gives_the_sources_values(in_place, ingested, pair) -> None:
    tree = verbs.open(ingested["sample"])
    frames = tree["entry/data/data"]
    assert isinstance(frames.data, da.Array)
    assert (frames.shape, frames.dtype) == ((12, 120, 100), np.dtype("u2"))
    assert max(np.prod(block) for block in zip(*frames.data.chunks, strict=False)) > 0
    theirs = _frames(pair.sample)
    np.testing.assert_array_equal(frames[4:7].values, theirs[4:7])
    np.testing.assert_array_equal(tree.hsc.role("frames").compute(), theirs)
    distance = tree["entry/instrument/detector/detector_distance"]
    assert (float(distance), distance.attrs["units"]) == (0.5, "m")
    assert str(tree["entry/sample/name"].values) == "spheres, R = 3.2 nm, in buffer"
    cited = tree.hsc.cite()
    assert ingested["sample"] in cited
    assert "DESY" in cited
    assert str(tree.hsc.record.pid) == ingested["sample"]


def test_opening_reads_no_pixel(in_place, ingested, tmp_path: Path) -> None:
    """The pack of values is out of reach while the tree is opened, sliced and described."""
    tree = verbs.open(ingested["buffer"])
    location = Path(tree.hsc.record.location.removeprefix("file://"))
    pack = location / "small-1.zip"
    kept = pack.rename(tmp_path / "pack")
    try:
        again = verbs.open(ingested["buffer"])
        part = again["entry/data/data"][0, 10:20]
        assert "120" in repr(again["entry/data/data"])
        with pytest.raises(MissingShardError, match="0/0/0"):
            part.data.compute()
    finally:
        kept.rename(pack)
    assert int(part.sum()) >= 0


def test_a_plain_tree_keeps_values_text_order_and_what_was_never_written(
    in_place, ingested, tree_file
) -> None:
    tree = verbs.open(ingested["tree"])
    with h5py.File(tree_file) as file:
        for name in ("energy", "counts", "sparse"):
            theirs = file["entry"][name][()]
            np.testing.assert_array_equal(tree["entry"][name].values, theirs)
        assert list(tree["entry/names"].values) == ["α", "b", ""]
        assert str(tree["entry/title"].values) == "a plain tree"
    assert tree["entry/energy"].attrs["units"] == "keV"
    assert tree.attrs["creator"] == "a test"
    # Read by stock means the sparse array is the same, and takes a tenth of the space.
    group = tree.hsc.zarr()
    assert int(group["entry/sparse"][0, 0]) == 7


def test_what_is_not_there_is_said(in_place, ingested) -> None:
    with pytest.raises(InvalidPidError):
        verbs.open("sample")
    with pytest.raises(DatasetNotFoundError, match="newest version is"):
        verbs.open(f"{ingested['sample']}@7")
    with pytest.raises(RoleMissingError, match="has"):
        verbs.open(ingested["tree"]).hsc.role("frames")


def test_the_azimuthal_reduction_is_the_same_by_command_and_by_python(in_place, ingested) -> None:
    by_command = in_place.json(
        "reduce", "azimuthal", ingested["sample"], "-p", "bins=30", "-p", "q_max_per_nm=1.5"
    )
    by_python = verbs.reduce(
        "azimuthal", ingested["sample"], parameters={"bins": 30, "q_max_per_nm": 1.5}
    )
    assert by_command["pid"] != str(by_python.pid)
    assert by_command["root"] == by_python.root
    tree = verbs.open(by_python.pid)
    curve = tree["entry/data/I"]
    assert (curve.shape, curve.dims) == ((12, 30), ("frame", "radial_axis"))
    assert curve.attrs["units"] == "arbitrary units"
    assert tree["entry/data/radial_axis"].attrs["units"] == "1/nm"
    signal = tree["entry/reduction/sums/signal"].values
    assert int(signal.sum()) == by_python.results["counts"]


def test_a_curve_of_sample_less_buffer_goes_home_as_nxcansas(
    in_place, ingested, without_hsc, tmp_path: Path
) -> None:
    sample, buffer = ingested["sample"], ingested["buffer"]
    by_command = in_place.json("reduce", "biosaxs", f"sample={sample}", f"buffer={buffer}")
    by_python = verbs.reduce("biosaxs", sample=sample, buffer=buffer)
    assert by_command["root"] == by_python.root
    assert sorted(by_command["inputs"]) == sorted([f"{sample}@1", f"{buffer}@1"])

    history = in_place.json("lineage", by_command["pid"], "--up")
    roles = {
        edge["object"]: edge["role"] for edge in history["edges"] if edge["predicate"] == "used"
    }
    assert roles[f"{sample}@1"] == "sample"
    assert roles[f"{buffer}@1"] == "buffer"
    became = in_place.json("lineage", sample, "--down")
    assert f"{by_command['pid']}@1" in {node["id"] for node in became["nodes"]}
    drawn = in_place("lineage", by_command["pid"]).stdout
    assert "as sample" in drawn
    assert "as buffer" in drawn
    places = [tmp_path / name for name in ("history.svg", "prov.json", "crate.zip")]
    options = zip(("--svg", "--prov", "--crate"), map(str, places), strict=True)
    told = in_place.json("lineage", by_command["pid"], *(word for pair in options for word in pair))
    assert told["written"] == [str(place) for place in places]
    assert all(place.stat().st_size for place in places)
    refused = in_place("lineage", by_command["pid"], "--svg", str(places[0]), code=1)
    assert "a file is there already" in refused.stderr

    file = verbs.export(by_python.pid, tmp_path / "curve.h5")
    told = without_hsc(
        f"""
import h5py
with h5py.File({str(file)!r}) as made:
    entry = made[made.attrs["default"]]
    data = entry[entry.attrs["default"]]
    json.dump({{
        "definition": entry["definition"].asstr()[()],
        "class": entry.attrs["canSAS_class"],
        "signal": data.attrs["signal"],
        "lengths": sorted({{len(data[name]) for name in ("Q", "I", "Idev")}}),
        "unit": data["Q"].attrs["units"],
        "run": entry["run"].asstr()[()],
        "q": data["Q"][()].tolist(),
        "i": data["I"][()].tolist(),
    }}, sys.stdout)
"""
    )
    tree = verbs.open(by_python.pid)
    assert (told["definition"], told["class"], told["signal"]) == ("NXcanSAS", "SASentry", "I")
    assert told["run"] == f"{by_python.pid}@1"
    assert told["unit"] in ("1/nm", "1/angstrom")
    np.testing.assert_array_equal(told["q"], tree.hsc.role("q").compute())
    np.testing.assert_array_equal(told["i"], tree.hsc.role("intensity").compute())
    _sasview_reads(file, told)


def _sasview_reads(file: Path, told: dict[str, Any]) -> None:
    """Hold a file against SasView's own loader, which reads q in 1/angstrom."""
    from sasdata.dataloader.readers.cansas_reader_HDF5 import Reader

    subtracted, buffer, sample = Reader().read(str(file))
    assert not any(each.errors for each in (subtracted, buffer, sample))
    np.testing.assert_allclose(subtracted.x, np.array(told["q"]) / 10, rtol=1e-12)
    np.testing.assert_array_equal(subtracted.y, told["i"])
    np.testing.assert_allclose(sample.y - buffer.y, subtracted.y, rtol=1e-9, atol=1e-9)
    names = [step.name for step in subtracted.process]
    assert names[0] == "azimuthal integration"
    assert {"buffer subtraction", "Guinier fit", "p(r)"} <= set(names)
    assert subtracted.source.wavelength == pytest.approx(1.0)
    assert [each.distance for each in subtracted.detector] == [0.5]


def test_reducing_without_a_dataset_is_told() -> None:
    with pytest.raises(HscError, match="no dataset"):
        verbs.reduce("azimuthal")
