"""A European XFEL run's folder: each file whole, modules and sequences counted, trains compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from hsc.errors import LayoutError
from hsc.layouts import read_run
from hsc.testing import ExfelRun, write_exfel_run


def read(path, layout=None):
    return read_run(path, layout=layout, time_zone="UTC")


def test_each_file_is_a_subtree_and_roles_tell_where_modules_are(tmp_path):
    files = write_exfel_run(tmp_path, ExfelRun())
    (tmp_path / "run_notes.txt").write_text("beam lost at 14:02")
    run = read(tmp_path)
    assert (run.layout, run.missing, run.notes, run.problems) == ("exfel", (), (), ())
    assert [file.name for file in run.files] == [file.name for file in files]
    assert len(run.files) == 32
    assert [asset.name for asset in run.assets] == ["run_notes.txt"]
    path = "/RAW-R0012-AGIPD03-S00001.h5/INSTRUMENT/SPB_DET_AGIPD1M-1/DET/3CH0:xtdf/image"
    assert run.roles["frames_AGIPD03_S00001"] == f"{path}/data"
    assert run.roles["train_id_AGIPD03_S00001"] == f"{path}/trainId"
    assert run.roles["pulse_id_AGIPD03_S00001"] == f"{path}/pulseId"
    shapes = {array.path: array.shape for array in run.arrays}
    assert all(place in shapes for place in run.roles.values())
    assert shapes[f"{path}/data"] == (4, 1, 16, 8)
    assert "/RAW-R0012-AGIPD03-S00001.h5/METADATA/runNumber" in shapes


def test_facts_come_from_metadata(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(sample="lysozyme"))
    run = read(tmp_path)
    facts = run.facts
    assert (facts.title, facts.proposal, facts.sample, facts.instrument) == (
        "RAW run 12 of proposal 700000", "700000", "lysozyme", "SPB",
    )  # fmt: skip
    assert facts.collected == datetime(2026, 5, 4, 8, tzinfo=UTC)
    assert run.key == "exfel p700000 r0012 RAW"


def test_no_sample_is_no_sample_and_one_module_has_the_plain_role(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(detector="MID_DET_TEST", modules=[0], sequences=[(10000,)]))
    run = read(tmp_path)
    assert run.facts.sample is None
    assert set(run.roles) == {"frames", "train_id", "pulse_id", "cell_id"}


@pytest.mark.parametrize(
    ("detector", "aggregator", "modules", "said"),
    [
        ("SPB_DET_AGIPD1M-1", "AGIPD", [m for m in range(16) if m not in (3, 7)],
         "2 of 16 modules of SPB_DET_AGIPD1M-1: 3, 7"),
        ("HED_DET_AGIPD500K2G", "AGIPD", range(7), "1 of 8 modules of HED_DET_AGIPD500K2G: 7"),
        ("FXE_DET_LPD1M-1", "LPD", range(15), "1 of 16 modules of FXE_DET_LPD1M-1: 15"),
        ("SCS_DET_DSSC1M-1", "DSSC", range(1, 16), "1 of 16 modules of SCS_DET_DSSC1M-1: 0"),
    ],
)  # fmt: skip
def test_missing_modules_are_told(tmp_path, detector, aggregator, modules, said):
    write_exfel_run(
        tmp_path, ExfelRun(detector=detector, aggregator=aggregator, modules=tuple(modules))
    )
    assert read(tmp_path).missing == (said,)


def test_missing_sequences_are_told_also_the_last_of_one_module(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(sequences=((10000,), (10001,), (10002,))))
    (tmp_path / "RAW-R0012-AGIPD04-S00001.h5").unlink()
    (tmp_path / "RAW-R0012-AGIPD05-S00002.h5").unlink()
    run = read(tmp_path)
    assert run.missing == (
        "1 of 3 sequences of AGIPD04: S00001",
        "1 of 3 sequences of AGIPD05: S00002",
    )
    assert run.notes == (
        "module 4 of SPB_DET_AGIPD1M-1 lacks 1 of 3 trains: 10001",
        "module 5 of SPB_DET_AGIPD1M-1 lacks 1 of 3 trains: 10002",
    )


def test_trains_that_a_module_lost_are_told_and_the_run_is_complete(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(lost={1: (10001, 10004)}))
    run = read(tmp_path)
    assert run.missing == ()
    assert run.notes == ("module 1 of SPB_DET_AGIPD1M-1 lacks 2 of 5 trains: 10001, 10004",)


def test_a_train_of_which_nothing_was_counted_is_lost(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(sequences=((10000, 10001),)))
    with h5py.File(tmp_path / "RAW-R0012-AGIPD02-S00000.h5", "a") as file:
        file["INDEX/SPB_DET_AGIPD1M-1/DET/2CH0:xtdf/image/count"][1] = 0
    assert read(tmp_path).notes == ("module 2 of SPB_DET_AGIPD1M-1 lacks 1 of 2 trains: 10001",)


@pytest.mark.parametrize(
    ("detector", "aggregator", "source", "role"),
    [
        (
            "SPB_DET_AGIPD1M-1",
            "AGIPD",
            "CORR/{module}CH0:output/image/data",
            "frames_AGIPD02_S00000",
        ),
        (
            "SPB_IRDA_JF4M",
            "JNGFR",
            "DET/JNGFR{module:02}:daqOutput/data/adc",
            "frames_JNGFR02_S00000",
        ),
        (
            "SPB_IRDA_JF4M",
            "JNGFR",
            "CORR/JNGFR{module:02}:output/data/adc",
            "frames_JNGFR02_S00000",
        ),
    ],
)
def test_corrected_files_and_jungfrau_modules_are_understood(
    tmp_path, detector, aggregator, source, role
):
    modules = [module for module in range(1, 9) if module != 3]
    run = ExfelRun(
        kind="CORR", detector=detector, aggregator=aggregator, source=source, modules=modules,
        sequences=((10000, 10001),),
    )  # fmt: skip
    write_exfel_run(tmp_path, run)
    found = read(tmp_path)
    lacking = "1 of 8 modules of SPB_IRDA_JF4M: 3"
    if aggregator == "AGIPD":
        lacking = f"9 of 16 modules of {detector}: 0, 3, 9, 10, 11, 12, 13, 14, 15"
    assert (found.missing, found.notes) == ((lacking,), ())
    assert found.roles[role].endswith(source.format(module=2))
    assert found.facts.instrument == "SPB"
    assert found.key == "exfel p700000 r0012 CORR"


def test_files_of_the_oldest_format_have_no_numbers_and_count_by_status(tmp_path):
    paths = write_exfel_run(tmp_path, ExfelRun(sequences=((10000, 10001),)))
    for path in paths:
        with h5py.File(path, "a") as file:
            for name in list(file["METADATA"]):
                del file["METADATA"][name]
            index = next(iter(file["INDEX/SPB_DET_AGIPD1M-1/DET"].values()))["image"]
            counted = index["count"][()]
            del index["count"]
            index["last"] = index["first"][()] + counted - 1
            index["status"] = np.array([1, "AGIPD06" not in path.name], "i4")
    run = read(tmp_path)
    assert run.missing == ()
    assert run.notes == ("module 6 of SPB_DET_AGIPD1M-1 lacks 1 of 2 trains: 10001",)
    assert (run.facts.title, run.facts.proposal) == ("RAW run 12", None)


def test_files_of_two_runs_in_one_folder_are_refused_by_name(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(modules=[0]))
    write_exfel_run(tmp_path, ExfelRun(modules=[0], run=13))
    with pytest.raises(LayoutError, match="RAW of run 12, RAW of run 13"):
        read(tmp_path)
    assert read(tmp_path, layout="folder").layout == "folder"


def test_the_folder_of_many_runs_is_refused_and_that_of_one_in_another_is_taken(tmp_path):
    write_exfel_run(tmp_path / "raw" / "r0012", ExfelRun(modules=[0]))
    assert [file.name for file in read(tmp_path / "raw").files] == [
        "r0012/RAW-R0012-AGIPD00-S00000.h5", "r0012/RAW-R0012-AGIPD00-S00001.h5",
    ]  # fmt: skip
    write_exfel_run(tmp_path / "raw" / "r0013", ExfelRun(modules=[0], run=13))
    with pytest.raises(LayoutError, match="RAW of run 12, RAW of run 13"):
        read(tmp_path / "raw")


def test_a_file_under_another_runs_name_is_refused(tmp_path):
    write_exfel_run(tmp_path, ExfelRun(modules=[0], sequences=((10000,),)))
    (tmp_path / "RAW-R0012-AGIPD00-S00000.h5").rename(tmp_path / "RAW-R0099-AGIPD00-S00000.h5")
    with pytest.raises(LayoutError, match="several runs"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("run", "files", "missing", "notes", "instrument"),
    [
        ("spb_raw_12", 18, (), (), "SPB"),
        ("jf4m_10", 9, (), (), "SPB"),
        ("lpd_missed", 2,
         ("14 of 16 modules of FXE_DET_LPD1M-1: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 4 more",),
         ("module 1 of FXE_DET_LPD1M-1 lacks 1 of 5 trains: 10002",), "FXE"),
    ],
)  # fmt: skip
def test_runs_that_extra_data_made_are_understood(
    realfiles, run, files, missing, notes, instrument
):
    found = read(realfiles / "exfel_mock" / run)
    assert (found.layout, len(found.files), found.problems) == ("exfel", files, ())
    assert (found.missing, found.notes) == (missing, notes)
    assert (found.facts.instrument, found.facts.proposal) == (instrument, "700000")


def test_every_value_is_there_under_its_files_name(tmp_path, realfiles):
    # Against h5py, without the walk: nothing of any file may be left out.
    folder: Path = realfiles / "exfel_mock" / "spb_raw_12"
    arrays = {array.path: array for array in read(folder).arrays}
    counted = 0
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path) as file:
            names: list[str] = []
            file.visititems(
                lambda name, node, names=names: (
                    names.append(name) if isinstance(node, h5py.Dataset) else None
                )
            )
            for name in names:
                assert arrays[f"/{path.name}/{name}"].shape == file[name].shape
            counted += len(names)
    assert counted == len(arrays)
