"""NXcanSAS files, read back with h5py and held against the application definition."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.errors import ObjectExistsError, ObjectMissingError, ParameterError
from hsc.exporting import SasCurve, SasStep, write_nxcansas

Q = np.linspace(0.1, 2.0, 50)
CURVE = SasCurve(
    q=Q,
    intensity=np.exp(-(Q**2)),
    error=0.01 + 0 * Q,
    title="lysozyme less buffer",
    run="hsc.desy/01ARZ3NDEKTSV4RRFFQ69G5FAV@1",
    sample_name="lysozyme, 5 mg/ml",
    instrument="P12",
    detector="EIGER2 4M",
    radiation="Synchrotron X-ray Source",
    wavelength_angstrom=1.24,
    distance_m=3.0,
    steps=(
        SasStep(
            "azimuthal integration",
            "each frame over the azimuth",
            "2026-11-22T10:00:00Z",
            {"bins": (1000, ""), "q_max": (5.2, "1/nm"), "error_model": ("poisson", "")},
            note="from hsc.desy/01ARZ3NDEKTSV4RRFFQ69G5FAV@1",
        ),
        SasStep("background subtraction"),
    ),
)


def classes(group):
    found = {"/": (group.attrs.get("NX_class"), group.attrs.get("canSAS_class"))}

    def visit(name, item):
        if isinstance(item, h5py.Group):
            found[name] = (item.attrs.get("NX_class"), item.attrs.get("canSAS_class"))

    group.visititems(visit)
    return found


def test_every_group_has_both_classes(tmp_path):
    write_nxcansas(tmp_path / "curve.h5", CURVE)
    with h5py.File(tmp_path / "curve.h5") as file:
        assert classes(file["sasentry"]) == {
            "/": ("NXentry", "SASentry"),
            "sasdata": ("NXdata", "SASdata"),
            "sasinstrument": ("NXinstrument", "SASinstrument"),
            "sasinstrument/sassource": ("NXsource", "SASsource"),
            "sasinstrument/sasdetector": ("NXdetector", "SASdetector"),
            "sassample": ("NXsample", "SASsample"),
            "sasprocess01": ("NXprocess", "SASprocess"),
            "sasprocess01/note": ("NXcollection", "SASprocessnote"),
            "sasprocess02": ("NXprocess", "SASprocess"),
        }


def test_the_entry_names_its_version_and_leads_to_the_data(tmp_path):
    write_nxcansas(tmp_path / "curve.h5", CURVE)
    with h5py.File(tmp_path / "curve.h5") as file:
        entry = file[file.attrs["default"]]
        assert entry.attrs["version"] == "1.1"
        assert entry["definition"][()].decode() == "NXcanSAS"
        assert entry["title"][()].decode() == CURVE.title
        assert entry["run"][()].decode() == CURVE.run
        data = entry[entry.attrs["default"]]
        assert data.attrs["signal"] == "I"
        assert data.attrs["I_axes"] == "Q"
        assert data.attrs["Q_indices"].tolist() == [0]


def test_the_numbers_come_back_with_their_units(tmp_path):
    write_nxcansas(tmp_path / "curve.h5", CURVE)
    with h5py.File(tmp_path / "curve.h5") as file:
        data = file["sasentry/sasdata"]
        assert np.array_equal(data["Q"], CURVE.q)
        assert np.array_equal(data["I"], CURVE.intensity)
        assert np.array_equal(data["Idev"], CURVE.error)
        assert data["Q"].attrs["units"] == "1/nm"
        assert data["I"].attrs["units"] == data["Idev"].attrs["units"] == "arbitrary"
        assert data["I"].attrs["uncertainties"] == "Idev"
        instrument = file["sasentry/sasinstrument"]
        assert instrument["sassource/incident_wavelength"][()] == 1.24
        assert instrument["sassource/incident_wavelength"].attrs["units"] == "angstrom"
        assert instrument["sasdetector/SDD"][()] == 3.0
        assert instrument["sasdetector/SDD"].attrs["units"] == "m"
        assert file["sasentry/sassample/name"][()].decode() == "lysozyme, 5 mg/ml"


def test_steps_stand_in_order_with_their_terms(tmp_path):
    write_nxcansas(tmp_path / "curve.h5", CURVE)
    with h5py.File(tmp_path / "curve.h5") as file:
        first, second = file["sasentry/sasprocess01"], file["sasentry/sasprocess02"]
        assert first["name"][()].decode() == "azimuthal integration"
        assert first["date"][()].decode() == "2026-11-22T10:00:00Z"
        assert first["q_max"][()] == 5.2
        assert first["q_max"].attrs["units"] == "1/nm"
        assert first["error_model"][()].decode() == "poisson"
        assert first["note/note"][()].decode().startswith("from hsc.desy/")
        assert second["name"][()].decode() == "background subtraction"


def test_what_is_not_known_is_not_invented(tmp_path):
    bare = SasCurve(q=Q, intensity=Q, error=Q, title="t", run="r")
    write_nxcansas(tmp_path / "curve.h5", bare)
    with h5py.File(tmp_path / "curve.h5") as file:
        assert "incident_wavelength" not in file["sasentry/sasinstrument/sassource"]
        assert "SDD" not in file["sasentry/sasinstrument/sasdetector"]


def test_a_file_that_is_there_is_kept_unless_told(tmp_path):
    target = tmp_path / "curve.h5"
    target.write_bytes(b"mine")
    with pytest.raises(ObjectExistsError, match="there already"):
        write_nxcansas(target, CURVE)
    assert target.read_bytes() == b"mine"
    write_nxcansas(target, CURVE, overwrite=True)
    assert h5py.is_hdf5(target)


def test_a_failure_leaves_nothing_behind(tmp_path):
    from dataclasses import replace

    wrong = replace(CURVE, steps=(SasStep("a", terms={"name": ("b", "")}),))
    with pytest.raises(ParameterError, match="can't be named 'name'"):
        write_nxcansas(tmp_path / "curve.h5", wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_overwriting_keeps_the_old_file(tmp_path):
    from dataclasses import replace

    write_nxcansas(tmp_path / "curve.h5", CURVE)
    before = (tmp_path / "curve.h5").read_bytes()
    wrong = replace(CURVE, steps=(SasStep("a", terms={"a/b": ("b", "")}),))
    with pytest.raises(ParameterError):
        write_nxcansas(tmp_path / "curve.h5", wrong, overwrite=True)
    assert (tmp_path / "curve.h5").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ObjectMissingError, match="no folder"):
        write_nxcansas(tmp_path / "no" / "curve.h5", CURVE)


@pytest.mark.parametrize("q", [[], [1.0, 2.0], [[1.0]], [np.nan] * 50])
def test_columns_that_are_no_curve_are_refused(tmp_path, q):
    from dataclasses import replace

    with pytest.raises(ParameterError):
        write_nxcansas(tmp_path / "curve.h5", replace(CURVE, q=q))
    assert list(tmp_path.iterdir()) == []


def test_the_same_curve_gives_the_same_bytes(tmp_path):
    write_nxcansas(tmp_path / "a.h5", CURVE)
    write_nxcansas(tmp_path / "b.h5", CURVE)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
