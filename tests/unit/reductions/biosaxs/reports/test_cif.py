"""sasCIF: its syntax by gemmi's parser, its names by an entry that SASBDB wrote."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hsc.reductions.biosaxs.reports.cif import write_sascif
from hsc.reductions.biosaxs.reports.facts import ReportFacts
from hsc.reductions.biosaxs.tree import Labels

cif = pytest.importorskip("gemmi", reason="no gemmi; make .venv/.dev").cif

# Names in SASDA32.sascif as SASBDB gave it out (it stands in the tests of EMBL's sasCIFtools).
OF_SASBDB = {
    "_sas_result": """id experimental_MW experimental_MW_error MW_standard MW_standard_error
        MW_Porod MW_Porod_error I0_from_PR I0_from_PR_error I0_from_Guinier
        I0_from_Guinier_error Rg_from_PR
        Rg_from_PR_error Rg_from_Guinier Rg_from_Guinier_error D_max Porod_volume
        Porod_volume_error Guinier_point_min Guinier_point_max type_of_curve standard Dmax_error
        comments estimated_volume estimated_volume_error estimated_volume_method SASBDB_code""",
    "_sas_scan": """title detc_id id measurement_date storage_temperature cell_temperature
        exposure_time number_of_frames unit qmin qmax sample_id result_id beam_id""",
    "_sas_beam": """id instrument_name instrument_city instrument_country dist_spec_to_detc shape
        radiation_wavelength type_of_source""",
    "_sas_detc": "id name type pixsize_x",
    "_sas_sample": """id name ext_coefficient contrast specific_vol purity_method dry_vol sample_MW
        specimen_concentration concentration_method entity_id""",
    "_sas_buffer": "id name concentration unit pK pH comment composition sample_id",
    "_sas_scan_intensity": "id momentum_transfer intensity intensity_su_counting scan_id",
    "_sas_p_of_R_details": """id intensity_id software_p_of_R number_of_points qmin qmax
        p_of_R_point_min p_of_R_point_max Rmin Rmax""",
    "_sas_p_of_R": "id ordinal r P P_error",
    # Of sasCIFtools' own writer: the entry's listing was read as far as p(r).
    "_sas_p_of_R_extrapolated_intensity": "id ordinal momentum_transfer intensity_reg",
}
# Of sasCIFtools, of Scatter, and of mmCIF itself.
OF_OTHERS = {
    "_sas_sample.details", "_sas_scan.intensity_units", "_sas_scan.calibration_factor",
    "_audit_conform.dict_name", "_audit_conform.dict_version", "_audit_conform.dict_location",
}  # fmt: skip
# As mmcif_sas.dic 0.6 defines the type float.
FLOAT = re.compile(r"-?(([0-9]+)|([0-9]*[.][0-9]+))([(][0-9]+[)])?([eE][+-]?[0-9]+)?\Z")


def read(data: bytes):
    document = cif.read_string(data.decode("ascii"))
    document.check_for_missing_values()
    document.check_for_duplicates()
    return document.sole_block()


def names(block) -> set[str]:
    found = set()
    for item in block:
        found |= {item.pair[0]} if item.pair else set(item.loop.tags)
    return found


def test_another_parser_reads_curve_and_results_in_the_terms_of_sasbdb(taken):
    block = read(taken.files["curve.sascif"])
    assert block.name == "MAIN"
    for column, path in (
        ("momentum_transfer", "/entry/data/Q"),
        ("intensity", "/entry/data/I"),
        ("intensity_su_counting", "/entry/data/Idev"),
    ):
        spelled = list(block.find_values(f"_sas_scan_intensity.{column}"))
        assert all(FLOAT.match(value) for value in spelled)
        assert np.allclose(np.array(spelled, float), taken.values(path), rtol=1e-9)
    results = taken.outputs.results
    for name, key in (("Rg_from_Guinier", "rg_nm"), ("I0_from_Guinier", "i0"),
                      ("D_max", "dmax_nm"), ("Dmax_error", "dmax_error_nm"),
                      ("MW_Porod", "mass_porod_volume_kda")):  # fmt: skip
        value = block.find_value(f"_sas_result.{name}")
        assert FLOAT.match(value)
        assert float(value) == pytest.approx(results[key], rel=1e-9)
    first, last = (int(block.find_value(f"_sas_result.Guinier_point_{x}")) for x in ("min", "max"))
    q = taken.values("/entry/data/Q")
    assert q[first - 1] == pytest.approx(results["guinier_q_min_per_nm"])
    assert q[last - 1] == pytest.approx(results["guinier_q_max_per_nm"])
    assert block.find_value("_sas_scan.unit") == "1/nm"
    assert block.find_value("_sas_beam.radiation_wavelength") == "0.1"
    assert block.find_value("_sas_beam.dist_spec_to_detc") == "2"
    assert block.find_value("_sas_detc.pixsize_x") == "0.172"
    assert block.find_value("_sas_scan.measurement_date") == "?"
    assert block.find_value("_sas_buffer.name") == "?"
    p = np.array(list(block.find_values("_sas_p_of_R.P")), float)
    assert np.allclose(p, taken.values("/results/pr/p"), atol=1e-12)
    # sasCIFtools takes it apart at the blank.
    program = cif.as_string(block.find_value("_sas_p_of_R_details.software_p_of_R"))
    assert len(program.split()) == 2


def test_every_name_is_one_that_sasbdb_or_a_known_program_writes(taken):
    known = {f"{group}.{one}" for group, text in OF_SASBDB.items() for one in text.split()}
    assert names(read(taken.files["curve.sascif"])) <= known | OF_OTHERS


def test_what_points_to_another_part_finds_it(taken):
    block = read(taken.files["curve.sascif"])
    for name, part in (("_sas_scan.sample_id", "sample"), ("_sas_scan.beam_id", "beam"),
                       ("_sas_scan.detc_id", "detc"), ("_sas_scan.result_id", "result"),
                       ("_sas_buffer.sample_id", "sample")):  # fmt: skip
        assert block.find_value(name) == block.find_value(f"_sas_{part}.id")
    scans = set(block.find_values("_sas_scan_intensity.scan_id"))
    assert scans == {block.find_value("_sas_scan.id")}


def test_what_a_column_was_loaded_with_is_no_concentration_of_what_eluted(followed):
    for name, met in (("biosaxs", "8"), ("sec_saxs", "?")):
        labels = Labels("a", None, {}, name, "1", concentration_g_per_l=8.0)
        block = read(write_sascif(followed, ReportFacts(labels)))
        assert block.find_value("_sas_sample.specimen_concentration") == met
        told = cif.as_string(block.find_value("_sas_sample.details"))
        assert told.endswith("loaded with 8 g/L") == (met == "?")


@pytest.mark.parametrize(
    "name",
    ["a b", "it's", "5' end", "\"'\" x' y\" z", ";semi\n;colon", "data_x", "loop_", "?", ".",
     "_x", "#1", "$a", "[a]", "' \" ;", "µ-opioid", ""],
)  # fmt: skip
def test_any_name_of_a_sample_comes_back(followed, name):
    facts = ReportFacts(Labels(name, None, {}, "biosaxs", "1"))
    spelled = read(write_sascif(followed, facts)).find_value("_sas_sample.name")
    meant = " ".join(name.split()).encode("ascii", "xmlcharrefreplace").decode()
    assert cif.as_string(spelled) == meant
    assert cif.is_null(spelled) is (name == "")
