"""Circular dichroism by hand-computed numbers, and against numpy said plainly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsc.errors import ParameterError, ReductionError, RoleMissingError
from hsc.model import canonical_json
from hsc.reductions import find_reduction
from hsc.workers import ThreadWorkers

SRCD = find_reduction("srcd")
GRID = np.array([180.0, 200.0, 220.0, 265.0])


@pytest.fixture
def scan(in_memory, scalar_array):
    """Make an opened dataset with a scan, or several as rows."""

    def make(values, grid=GRID, ht=None, units=("nm", "mdeg")):
        arrays = {
            "wavelength": scalar_array("wavelength", grid, units[0]),
            "ellipticity": scalar_array("ellipticity", np.asarray(values, float), units[1]),
        }
        if ht is not None:
            arrays["ht"] = scalar_array("ht", np.asarray(ht, float), "V")
        # One of its own each time: sample and baseline are never the same dataset.
        blank = in_memory(np.zeros((1, 2, 2), "u2")).without(
            "frames", "wavelength", "distance", "x_pixel_size", "y_pixel_size", "beam_center_x",
            "beam_center_y", "count_time",
        )  # fmt: skip
        return blank.having(**arrays)

    return make


def run(sample, baseline=(), **parameters):
    given = {"sample": tuple(sample), "baseline": tuple(baseline)}
    return SRCD.run(given, parameters, ThreadWorkers(1))


def arrays(outputs):
    held = {each.path: each for each in outputs.tree.arrays}
    return {role: held[path].values for role, path in outputs.tree.roles.items()}


def test_averages_and_errors_are_those_worked_out_by_hand(scan):
    sample = [scan([1, 4, 0, 0]), scan([2, 4, 0, 0]), scan([3, 7, 0, 0])]
    baseline = [scan([1, 1, 1, 0]), scan([1, 3, 1, 0])]
    found = arrays(run(sample, baseline))
    # Means 2, 5, 0, 0 less 1, 2, 1, 0.
    assert found["ellipticity"].tolist() == [1.0, 3.0, -1.0, 0.0]
    # First: s² = (1 + 0 + 1) / 2 = 1, sem = 1/√3; the baseline's scans agree.
    # Second: s² = (1 + 1 + 4) / 2 = 3, sem² = 1; baseline s² = (1 + 1) / 1 = 2, sem² = 1.
    assert found["ellipticity_error"] == pytest.approx([1 / math.sqrt(3), math.sqrt(2), 0, 0])
    assert found["wavelength"].tolist() == GRID.tolist()


def test_sample_and_baseline_may_stand_in_one_file_as_groups_by_name(scan):
    one, other = scan([1, 4, 0, 0]), scan([3, 5, 0, 0], ht=[1, 2, 3, 4])
    arrays_of = {
        f"{role}@{group}": each.role(role)
        for group, each in (("a/data", one), ("b", other))
        for role in each.roles
        if role in ("wavelength", "ellipticity", "ht")
    }
    both = one.without("wavelength", "ellipticity").having(**arrays_of)
    found = arrays(run([both], [both], sample_group="b", baseline_group="/a/data"))
    assert found["ellipticity"].tolist() == [2.0, 1.0, 0.0, 0.0]
    assert found["ht"].tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(ReductionError, match=r"none is named: a/data, b"):
        run([both])
    with pytest.raises(ReductionError, match=r"none is 'c': a/data, b"):
        run([both], sample_group="c")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        # 10 / (32982 · 1e-5 · 0.1) = 10 / 0.032982
        ({"unit": "delta_epsilon", "per": "molecule", "path_cm": 0.1,
          "concentration_mol_per_l": 1e-5}, 303.1956824935),
        # the same over N - 1 = 100
        ({"unit": "delta_epsilon", "path_cm": 0.1, "concentration_mol_per_l": 1e-5,
          "residues": 101}, 3.031956824935),
        # MRW = 11000 / 100 = 110 g/mol; 10 · 110 / (10 · 0.5 · 0.1) = 1100 / 0.5
        ({"unit": "mean_residue_ellipticity", "path_cm": 0.1, "concentration_mg_per_ml": 0.5,
          "molar_mass_kda": 11, "residues": 101}, 2200.0),
        # 0.5 g/L / 11000 g/mol = 4.5454...e-5 mol/L: 10 / (10 · 4.54e-5 · 100 · 0.1) = 2200
        ({"unit": "mean_residue_ellipticity", "path_cm": 0.1,
          "concentration_mol_per_l": 0.5 / 11000, "residues": 101}, 2200.0),
        # 2200 / 3298.2
        ({"unit": "delta_epsilon", "path_cm": 0.1, "concentration_mg_per_ml": 0.5,
          "molar_mass_kda": 11, "residues": 101}, 0.667030501485659),
    ],
)  # fmt: skip
def test_ten_millidegrees_in_molar_units_are_those_worked_out_by_hand(scan, given, wanted):
    found = arrays(run([scan([10, 0, 0, 0]), scan([10, 0, 0, 0])], **given))
    assert found[given["unit"]][0] == pytest.approx(wanted, rel=1e-10)
    assert found["ellipticity"][0] == 10.0


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"unit": "delta_epsilon", "per": "molecule"},
         ["path_cm (in cm)", "concentration_mol_per_l (in mol/L)", "concentration_mg_per_ml"]),
        ({"unit": "delta_epsilon", "path_cm": 1, "concentration_mol_per_l": 1}, ["residues"]),
        ({"unit": "mean_residue_ellipticity", "path_cm": 1, "concentration_mg_per_ml": 1},
         ["molar_mass_kda (in kDa)", "residues"]),
        ({"unit": "delta_epsilon", "path_cm": 1, "concentration_mg_per_ml": 1,
          "concentration_mol_per_l": 1}, ["both given"]),
        ({"zero_min_nm": 270, "zero_max_nm": 260}, ["zero_min_nm is 270"]),
    ],
)  # fmt: skip
def test_a_number_that_is_missing_is_named_with_its_unit(scan, given, missing):
    with pytest.raises(ParameterError) as caught:
        run([scan([1, 1, 1, 1])], **given)
    assert all(each in caught.value.message for each in missing), caught.value.message
    assert caught.value.next_step


rows = hnp.arrays(
    float, st.tuples(st.integers(2, 5), st.just(12)),
    elements=st.floats(-100, 100).map(lambda value: round(value, 4)),
)  # fmt: skip


@given(sample=rows, baseline=rows)
def test_errors_are_those_of_the_literal_formulas(sample, baseline):
    from hsc.reductions.srcd.averages import average, subtracted, zeroed

    grid = np.arange(255.0, 279.0, 2.0)
    made = subtracted(average(list(sample)), average(list(baseline)))
    sems = [each.std(axis=0, ddof=1) / np.sqrt(len(each)) for each in (sample, baseline)]
    sigma = np.hypot(*sems)
    assert made.values == pytest.approx(sample.mean(axis=0) - baseline.mean(axis=0), abs=1e-10)
    assert made.errors == pytest.approx(sigma, abs=1e-10)
    # y = A x with A = 1 - w, w = 1/m within the range: the covariance is A diag(σ²) Aᵀ.
    within = (grid >= 260) & (grid <= 270)
    shift = np.eye(12) - np.tile(within / within.sum(), (12, 1))
    shifted, offset = zeroed(made, grid, 260, 270)
    assert shifted.values == pytest.approx(shift @ made.values, abs=1e-9)
    assert shifted.values[within].mean() == pytest.approx(0, abs=1e-9)
    variance = np.diag(shift @ np.diag(sigma**2) @ shift.T)
    assert shifted.errors == pytest.approx(np.sqrt(variance), abs=1e-6)
    assert offset == pytest.approx(made.values[within].mean(), abs=1e-10)


def test_the_spread_of_a_single_scan_is_not_known(scan):
    found = arrays(run([scan([1, 2, 3, 4])]))
    assert np.isnan(found["ellipticity_error"]).all()


def test_scans_may_be_rows_of_one_dataset_and_run_downwards(scan):
    rows_of_one = arrays(run([scan([[4, 3, 2, 1], [4, 3, 2, 3]], GRID[::-1])]))
    apart = arrays(run([scan([1, 2, 3, 4]), scan([3, 2, 3, 4])]))
    assert rows_of_one["ellipticity"].tobytes() == apart["ellipticity"].tobytes()
    assert rows_of_one["ellipticity_error"].tobytes() == apart["ellipticity_error"].tobytes()


def test_other_wavelengths_are_refused_or_interpolated_as_asked(scan):
    other = scan([0, 20, 40, 60], np.array([190.0, 210.0, 230.0, 250.0]))
    with pytest.raises(ReductionError, match="4 from 190 to 250 nm, 4 from 180 to 265 nm"):
        run([scan([0, 0, 0, 0]), other])
    found = arrays(run([scan([0, 0, 0, 0]), other], grids="interpolate"))
    # 200 and 220 are in both ranges; there the other is at 10 and 30.
    assert found["wavelength"].tolist() == [200.0, 220.0]
    assert found["ellipticity"].tolist() == [5.0, 15.0]


def test_ranges_that_do_not_meet_are_refused(scan):
    with pytest.raises(ReductionError, match="fewer than two wavelengths in common"):
        run([scan([0] * 4), scan([0] * 4, GRID + 80)], grids="interpolate")


def test_units_of_the_files_are_converted(scan):
    found = arrays(run([scan([0.001, 0, 0, 0], GRID * 10, units=("angstrom", "deg"))]))
    assert found["wavelength"] == pytest.approx(GRID)
    assert found["ellipticity"][0] == pytest.approx(1.0)
    with pytest.raises(ReductionError, match="its unit is 'V'"):
        run([scan([0] * 4, units=("nm", "V"))])


def test_points_beyond_the_cut_off_of_any_scan_are_flagged_and_kept(scan):
    made = run(
        [scan([1] * 4, ht=[650, 610, 400, 300])], [scan([0] * 4, ht=[500, 500, 400, 300])],
        ht_max_v=600,
    )  # fmt: skip
    found = arrays(made)
    assert found["beyond_cutoff"].tolist() == [True, True, False, False]
    assert found["ellipticity"].tolist() == [1.0] * 4
    assert made.results["wavelength_min_unflagged_nm"] == 220.0
    with pytest.raises(RoleMissingError, match="the role 'ht'"):
        run([scan([1] * 4)], ht_max_v=600)


def test_where_the_longest_wavelength_is_flagged_none_is_told_to_be_good(scan):
    made = run([scan([1] * 4, ht=[300, 300, 400, 650])], ht_max_v=600)
    assert made.results["flagged_points"] == 1
    assert "wavelength_min_unflagged_nm" not in made.results
    assert canonical_json(made.results)  # NaN is no JSON


def test_zero_needs_a_point_in_its_range(scan):
    with pytest.raises(ReductionError, match="no wavelength between 300 and 310 nm"):
        run([scan([1] * 4)], zero=True, zero_min_nm=300, zero_max_nm=310)
    assert arrays(run([scan([1, 2, 3, 5])], zero=True))["ellipticity"].tolist() == [-4, -3, -2, 0]


def test_the_text_has_every_number_of_the_tree(scan):
    made = run([scan([1.1, 2, 3, 4], ht=[1, 2, 3, 4]), scan([1.3, 2, 3, 4], ht=[1, 2, 3, 4])])
    head, table = made.files["srcd.txt"].decode().split("\nDATA\n")
    titles, *lines = table.splitlines()
    assert titles.split("\t")[:2] == ["Wavelength (nm)", "Final (mdeg)"]
    read = np.array([[float(cell) for cell in line.split("\t")] for line in lines])[::-1]
    found = arrays(made)
    assert read[:, 0].tolist() == found["wavelength"].tolist()
    assert read[:, 1].tolist() == found["ellipticity"].tolist()
    assert read[:, 2].tolist() == found["ellipticity_error"].tolist()
    assert read[:, 3].tolist() == found["ht"].tolist()
    assert np.isnan(read[:, 6]).all()
    assert "SCANS OF THE SAMPLE" in head


def test_the_data_group_is_a_plot_by_itself(scan):
    made = run([scan([1] * 4)], unit="delta_epsilon", per="molecule", path_cm=1,
               concentration_mol_per_l=1)  # fmt: skip
    groups = {each.path: each.attributes for each in made.tree.groups}
    assert groups["/entry"]["default"] == "data"
    assert groups["/entry/data"]["signal"] == "delta_epsilon"
    assert groups["/entry/data"]["axes"] == ["wavelength"]
    (signal,) = [each for each in made.tree.arrays if each.path == "/entry/data/delta_epsilon"]
    assert signal.attributes["units"] == "L mol^-1 cm^-1"
