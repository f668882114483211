"""Columns: read back as they were meant, by others' readers where there are any."""

from __future__ import annotations

import io

import numpy as np
import pytest

from hsc.errors import ReductionError
from hsc.reductions import Curve
from hsc.reductions.biosaxs.reports.columns import read_dat, write_dat
from hsc.reductions.biosaxs.reports.facts import ReportFacts
from hsc.reductions.biosaxs.tree import Labels


def facts(unit="1/nm", sample="lysozyme"):
    return ReportFacts(Labels(sample, None, {}, "biosaxs", "1"), q_unit=unit)


@pytest.mark.parametrize(("name", "path"), [
    ("subtracted", "/entry"), ("sample", "/entry_sample"), ("buffer", "/entry_buffer"),
])  # fmt: skip
def test_columns_come_back_as_they_were(taken, name, path):
    curve, header = read_dat(taken.files[f"{name}.dat"])
    for column, given in (("Q", "q_per_nm"), ("I", "intensity"), ("Idev", "error")):
        assert np.allclose(getattr(curve, given), taken.values(f"{path}/data/{column}"), rtol=1e-9)
    assert header["Sample"] == "lysozyme"
    assert header["Instrument"] == "P12"
    assert header["Unit of q"] == "1/nm"
    roles = {"subtracted": ("sample", "buffer")}.get(name, (name,))
    pids = dict(zip(("sample", "buffer"), taken.pids, strict=True))
    assert {k: v for k, v in header.items() if k.startswith("Input")} == {
        f"Input {role}": pids[role] for role in roles
    }


def test_freesas_and_numpy_read_the_columns(taken, tmp_path):
    sasio = pytest.importorskip("freesas.sasio")
    file = tmp_path / "subtracted.dat"
    file.write_bytes(taken.files["subtracted.dat"])
    columns = sasio.load_scattering_data(str(file))
    assert columns.shape == (len(taken.values("/entry/data/Q")), 3)
    assert np.allclose(columns[:, 0], taken.values("/entry/data/Q"), rtol=1e-9)
    pairs = np.loadtxt(io.BytesIO(taken.files["pr.txt"]))
    assert np.allclose(pairs[:, 1], taken.values("/results/pr/p"), rtol=1e-9, atol=1e-12)
    fit = np.loadtxt(io.BytesIO(taken.files["pr_fit.txt"]))
    assert np.allclose(fit[:, 3], taken.values("/results/pr_fit/I"), rtol=1e-9)


@pytest.mark.parametrize(("unit", "scale"), [("1/nm", 1.0), ("1/angstrom", 0.1)])
def test_sasview_reads_the_columns_as_they_stand(followed, tmp_path, unit, scale):
    loader = pytest.importorskip("sasdata.dataloader.loader")
    file = tmp_path / "subtracted.dat"
    curve = followed.curve
    file.write_bytes(write_dat(curve, facts(unit), what="a", intensity_unit="arbitrary"))
    (read,) = loader.Loader().load(str(file))
    assert np.allclose(read.x, scale * curve.q_per_nm, rtol=1e-9)
    assert np.allclose(read.y, curve.intensity, rtol=1e-9)
    assert np.allclose(read.dy, curve.error, rtol=1e-9)
    # It takes q of any column file for 1/angstrom; how-to/biosaxs.md says so.
    assert read.x_unit in {"1/A", "A^{-1}", "1/angstrom"}


def test_q_in_inverse_angstrom_is_a_tenth_and_reads_back_in_inverse_nm():
    curve = Curve(np.array([0.1, 0.2]), np.array([3.0, -2.0]), np.array([0.5, 0.25]))
    data = write_dat(curve, facts("1/angstrom"), what="a", intensity_unit="1/cm")
    assert np.loadtxt(io.BytesIO(data))[:, 0].tolist() == [0.01, 0.02]
    back, header = read_dat(data)
    assert header["Unit of q"] == "1/angstrom"
    assert np.allclose(back.columns(), curve.columns(), rtol=1e-9)


def test_a_name_of_many_lines_stays_in_the_header():
    curve = Curve(np.array([0.1]), np.array([3.0]), np.array([0.5]))
    data = write_dat(curve, facts(sample="a\n9 9 9"), what="a", intensity_unit="1/cm")
    back, header = read_dat(data)
    assert (header["Sample"], back.q_per_nm.tolist()) == ("a 9 9 9", [0.1])


@pytest.mark.parametrize(
    "text", ["1 2 3\n", "# Unit of q: 1/nm\n1 2\n", "# Unit of q: 1/m\n1 2 3\n"]
)
def test_columns_that_do_not_say_what_they_are_are_refused(text):
    with pytest.raises(ReductionError, match=r"unit of q|three numbers"):
        read_dat(text.encode())
