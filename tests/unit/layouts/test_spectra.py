"""Text with columns: what a column is stands in its name; a row that is none of it is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import LayoutError, NotHdf5Error
from hsc.layouts import read_run
from hsc.model import Kind

JASCO = (
    "TITLE\tmyoglobin\nDATA TYPE\tCD\nXUNITS\tNANOMETERS\nYUNITS\tCD [mdeg]\nY2UNITS\tHT [V]\n"
    "FIRSTX\t260.0\nXYDATA\n260.0\t-1.5\t300\n259.0\t-1.25\t302\n258\t1e-3\t304\n"
    "\n##### Extended Information\n[Comments]\nAccumulations\t8\n"
)


def read(path, text, layout=None):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_run(path, layout=layout, time_zone="UTC")


def column(run, role):
    path = run.roles[role]
    (held,) = [each for each in run.arrays if each.path == path]
    return held.pieces[0].dataset.read(str(run.files[0].path), path)


def units(run):
    return {each.path.rpartition("/")[2]: each.attributes.get("units") for each in run.arrays}


def test_a_scan_as_jasco_exports_it(tmp_path):
    run = read(tmp_path / "a.txt", JASCO)
    assert (run.layout, run.kind) == ("scan", Kind.RAW)
    assert column(run, "wavelength").tolist() == [260.0, 259.0, 258.0]
    assert column(run, "ellipticity").tolist() == [-1.5, -1.25, 1e-3]
    assert column(run, "ht").tolist() == [300.0, 302.0, 304.0]
    assert units(run) == {"wavelength": "nm", "ellipticity": "mdeg", "ht": "V"}
    (data,) = [group for group in run.groups if group.path == "/entry/data"]
    assert data.attributes["signal"] == "ellipticity"
    assert data.attributes["axes"] == ["wavelength"]


def test_a_scan_as_jasco_exports_it_with_commas(tmp_path):
    above, table = JASCO.split("XYDATA\n")
    run = read(tmp_path / "a.csv", (above + "XYDATA\n" + table).replace("\t", ","))
    assert column(run, "ht").tolist() == [300.0, 302.0, 304.0]
    assert units(run) == {"wavelength": "nm", "ellipticity": "mdeg", "ht": "V"}


def test_a_comma_beside_a_decimal_point_is_refused_for_it_may_part_thousands(tmp_path):
    text = "wavelength (nm)\tht (V)\tCD (mdeg)\n260.5\t1,234\t2\n260\t1,235\t2\n"
    with pytest.raises(LayoutError, match="thousands"):
        read(tmp_path / "a.txt", text)
    run = read(tmp_path / "b.txt", text.replace("260.5", "260,5"))
    assert column(run, "ht").tolist() == [1.234, 1.235]


@pytest.mark.parametrize(
    "text",
    [
        "# q (1/A)  I  sigma\n0.1 5 1\n0.2 3 1\n",
        "q [1/Å];Intensity;Error\n0,1;5,0;1\n0,2;3,0;1\n",
        "q/A^-1, I(q), sigma\n0.1, 5, 1\n0.2, 3, 1\n",
        "made by hand\n\nq (A^-1)\tI\tIdev\n0.1\t5\t1\n0.2\t3\t1D0\n",
        "\ufeffq_angstrom^-1 I std\n.1 5. 1\n.2 3. 1\n",
    ],
)
def test_a_spectrum_is_a_calibration_however_its_columns_are_parted(tmp_path, text):
    run = read(tmp_path / "a.dat", text)
    assert (run.layout, run.kind) == ("spectrum", Kind.CALIBRATION)
    assert column(run, "q").tolist() == [0.1, 0.2]
    assert column(run, "intensity").tolist() == [5.0, 3.0]
    assert column(run, "intensity_error").tolist() == [1.0, 1.0]
    assert units(run)["q"] == "1/angstrom"


@pytest.mark.parametrize(
    ("name", "unit"), [("I (A)", "A"), ("signal/V", "V"), ("I (1/cm)", "1/cm"), ("I (a.u.)", None)]
)
def test_the_unit_of_an_intensity_is_the_one_that_the_file_says(tmp_path, name, unit):
    run = read(tmp_path / "a.txt", f"Energy (eV)\t{name}\n100\t1e-9\n101\t2e-9\n")
    assert units(run) == {"energy": "eV", "intensity": unit}


def test_columns_that_nobody_knows_are_kept_without_a_role(tmp_path):
    run = read(tmp_path / "a.txt", "energy (eV), I, pump / %\n10, 1, 7\n11, 2, 8\n")
    assert set(run.roles) == {"energy", "intensity"}
    (kept,) = [each for each in run.arrays if "pump" in each.path]
    assert kept.attributes["hsc:decoded"]["name"] == "pump / %"


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        (JASCO.replace("-1.25", "-1.25.0"), "does not belong to the 1 rows", 10),
        (JASCO.replace("259.0\t-1.25\t302", "259.0\t-1.25"), "a row of 2 numbers", 9),
        ("260 1\n259 2\n", "its 2 columns have no names", 1),
        ("# wavelength  ellipticity (mdeg)\n260 1\n259 2\n", "says no unit that fits: nm", 1),
        (
            "# wavelength (nm)  CD (V)\n260 1\n259 2\n",
            "'CD (V)' says no unit that fits: mdeg or deg",
            1,
        ),
        ("wavelength (nm), lambda (nm), I\n1,1,1\n2,2,2\n", "two columns are for", 1),
        ("# length (m)  I\n260 1\n259 2\n", "these are named length (m), I", 1),
        ("# wavelength (nm)  I\n260 1\nnan 2\n", "wavelength is no number in row 2", 2),
    ],
)
def test_what_is_wrong_is_told_by_its_line(tmp_path, text, said, line):
    with pytest.raises(LayoutError) as caught:
        read(tmp_path / "a.txt", text)
    assert said in caught.value.message
    assert caught.value.where.startswith(str(tmp_path / "a.txt"))
    assert caught.value.where.endswith(f"line {line}")
    assert caught.value.next_step


@pytest.mark.parametrize("text", ["no numbers at all\n", "one 1\n", "1 2\n", b"1 2\n3 4\n\0"])
def test_what_is_no_table_is_left_to_others(tmp_path, text):
    with pytest.raises(NotHdf5Error):
        read(tmp_path / "a.txt", text)


@given(
    rows=st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_infinity=False)
        ),
        min_size=2,
        max_size=9,
    ),
    separator=st.sampled_from(["\t", ";", ",", "  ", " ; "]),
)
def test_every_number_is_the_nearest_float_of_its_digits(tmp_path_factory, rows, separator):
    lines = ["# wavelength (nm)\tintensity", *(f"{a!r}{separator}{b!r}" for a, b in rows)]
    path = tmp_path_factory.mktemp("text") / "a.txt"
    run = read(path, "\n".join(lines) + "\n", "spectrum")
    assert column(run, "wavelength").tolist() == [a for a, _ in rows]
    assert np.array_equal(column(run, "intensity"), [b for _, b in rows], equal_nan=True)
