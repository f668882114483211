"""Bad input: one clear message, the right exit code, nothing left behind, the failure on record."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hsc import jobs
from hsc.model import ActivityState, Query

NOBODY = "hsc.local/01ARZ3NDEKTSV4RRFFQ69G5FAV"


def _run_without(run: Path, name: str, folder: Path, content: bytes | None = None) -> Path:
    """Copy a run and take one of its data files away, or write something else in its place."""
    copied = shutil.copytree(run.parent, folder)
    (copied / name).unlink()
    if content is not None:
        (copied / name).write_bytes(content)
    return copied / run.name


@pytest.fixture(scope="module")
def bad_files(
    tmp_path_factory: pytest.TempPathFactory, make_run: Callable[..., Path]
) -> dict[Path, tuple[str, str]]:
    """Give bad paths, each with the error's class and a word that its message must have."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "none").mkdir()
    run = make_run()
    second = "series_1_data_000002.h5"
    whole = (run.parent / second).read_bytes()
    bad: dict[Path, tuple[str, str]] = {
        folder / "absent.h5": ("SourceMissingError", "no such file"),
        folder / "absent" / "scan.h5": ("SourceMissingError", "no such file"),
        folder / "none": ("NotHdf5Error", "folder is empty"),
    }

    def write(name: str, content: bytes, error: str, word: str) -> None:
        (folder / name).write_bytes(content)
        bad[folder / name] = (error, word)

    write("empty.h5", b"", "NotHdf5Error", "empty")
    write("notes.h5", b"sample A, 12 keV\n" * 40, "NotHdf5Error", "not an HDF5 file")
    write("picture.h5", b"\x89PNG\r\n\x1a\n" + bytes(900), "NotHdf5Error", "not an HDF5 file")
    write("cut-in-signature.h5", whole[:7], "NotHdf5Error", "not an HDF5 file")
    for length in (8, 40, 96, 800, 2048, len(whole) // 2, len(whole) - 1):
        write(f"cut-{length}.h5", whole[:length], "DamagedSourceError", "can't be opened")
    os.mkfifo(folder / "pipe.h5")
    bad[folder / "pipe.h5"] = ("SourceMissingError", "not a file")
    for name, content, error, word in (
        ("missing", None, "IncompleteRunError", second),
        ("cut", whole[: len(whole) // 2], "DamagedSourceError", "can't be opened"),
        ("text", b"to be copied", "NotHdf5Error", "not an HDF5 file"),
        ("empty", b"", "NotHdf5Error", "empty"),
    ):
        bad[_run_without(run, second, folder / name, content)] = (error, word)
    return bad


def test_every_bad_file_is_told_plainly_and_leaves_nothing(hsc, bad_files) -> None:
    answer = hsc("ingest", *bad_files, code=1)
    assert answer.stdout == ""
    told = [
        dict(zip(("what", "where", "next"), _parts(block), strict=True))
        for block in answer.stderr.split("error: ")[1:]
    ]
    assert len(told) == len(bad_files)
    for (path, (_, word)), each in zip(bad_files.items(), told, strict=True):
        assert word in each["what"], (path, each)
        assert str(path.parent) in each["where"], (path, each)
        assert each["next"], (path, each)
    assert hsc.objects() == []
    _assert_only_failures(hsc, {str(path): error for path, (error, _) in bad_files.items()})


def _parts(block: str) -> tuple[str, str, str]:
    what, _, rest = block.partition("\n  where: ")
    where, _, following = rest.partition("\n  next:  ")
    return what, where, following.strip()


def _assert_only_failures(hsc, expected: dict[str, str]) -> None:
    with hsc.catalog() as catalog:
        assert catalog.search(Query()).total == 0
        failed = catalog.activities(state=ActivityState.FAILED, limit=1000)
        assert len(catalog.activities(limit=1000)) == len(failed)
    recorded = {str(each.parameters["path"]): each.failure for each in failed}
    assert set(recorded) == set(expected)
    for path, error in expected.items():
        failure = recorded[path]
        assert failure is not None
        assert (failure.error, bool(failure.message), bool(failure.next)) == (error, True, True)


def test_good_paths_go_in_beside_bad_ones(hsc, bad_files, tree_file, make_run) -> None:
    good = [tree_file, make_run(seed=5)]
    bad = [path for path, (error, _) in bad_files.items() if error != "IncompleteRunError"][:4]
    answer = hsc("ingest", bad[0], good[0], bad[1], bad[2], good[1], bad[3], "--json", code=1)
    document = answer.document
    assert [each["source"] for each in document["datasets"]] == [str(path) for path in good]
    assert [each["path"] for each in document["errors"]] == [str(path) for path in bad]
    assert [each["error"] for each in document["errors"]] == [bad_files[path][0] for path in bad]
    assert document["error"] == document["errors"][0]["error"]
    assert answer.stderr == ""
    assert hsc.json("search")["total"] == 2
    failed = hsc.json("activities", "--failed")["activities"]
    assert sorted(each["parameters"]["path"] for each in failed) == sorted(map(str, bad))
    shown = hsc("activities", "--failed").stdout
    # Paths of messages are broken over lines where the folder's own path is long.
    assert all(each["id"] in shown for each in failed)


ENVIRONMENT: dict[str, tuple[dict[str, str], str, str, bool]] = {
    # name: variables, error, a word of its message, whether a catalog is there to record it
    "store below a file": (
        {"HSC_STORE": "file://{file}/store"}, "StoreUnwritableError", "takes no writes", True,
    ),
    "store without scheme": (
        {"HSC_STORE": "/data/store"}, "ConfigurationError", "HSC_STORE", True,
    ),
    "store of unknown scheme": (
        {"HSC_STORE": "banana://data"}, "ConfigurationError", "banana", True,
    ),
    "store on a host": (
        {"HSC_STORE": "file://server/data"}, "ConfigurationError", "host", True,
    ),
    "store with credentials": (
        {"HSC_STORE": "s3://key:s3cr3t@endpoint/bucket"}, "ConfigurationError", "credentials", True,
    ),
    "no such place to work": (
        {"HSC_DASK": "banana"}, "ConfigurationError", "HSC_DASK", True,
    ),
    "unknown facility": (
        {"HSC_FACILITY": "cern"}, "ConfigurationError", "cern", True,
    ),
    "catalog is a folder": (
        {"HSC_CATALOG": "sqlite:///{folder}"}, "CatalogUnavailableError", "catalog", False,
    ),
    "catalog is another file": (
        {"HSC_CATALOG": "sqlite:///{file}"}, "CatalogUnavailableError", "database", False,
    ),
    "catalog below a file": (
        {"HSC_CATALOG": "sqlite:///{file}/catalog.sqlite"},
        "CatalogUnavailableError", "catalog", False,
    ),
    "catalog without scheme": (
        {"HSC_CATALOG": "catalog.sqlite"}, "ConfigurationError", "HSC_CATALOG", False,
    ),
    "catalog of unknown scheme": (
        {"HSC_CATALOG": "ftp://user:s3cr3t@host/x"}, "ConfigurationError", "ftp://host/x", False,
    ),
    "home is a file": (
        {"HSC_HOME": "{file}"}, "ConfigurationError", "HSC_HOME", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ENVIRONMENT)
def test_a_wrong_environment_is_told_before_anything_is_written(
    hsc, tree_file, tmp_path: Path, case: str
) -> None:
    variables, error, word, recorded = ENVIRONMENT[case]
    file, folder = tmp_path / "notes.txt", tmp_path / "folder"
    file.write_text("not a database\n" * 100)
    folder.mkdir()
    env = {name: value.format(file=file, folder=folder) for name, value in variables.items()}
    answer = hsc("ingest", tree_file, "--json", code=1, env=env)
    document = answer.document
    told = document["errors"][0] if recorded else document
    assert document["error"] == told["error"] == error
    assert word in told["message"] + told["where"], told
    assert told["next"], told
    assert "s3cr3t" not in answer.stdout + answer.stderr
    assert answer.stderr == ""
    assert hsc.objects() == []
    assert (file.read_text(), list(folder.iterdir())) == ("not a database\n" * 100, [])
    if recorded:
        _assert_only_failures(hsc, {str(tree_file): error})
    else:
        assert not (hsc.home / "catalog.sqlite").exists()


WORDS: dict[str, tuple[list[str], str, str]] = {
    "layout": (["inspect", "{file}", "--layout", "banana"], "ConfigurationError", "exfel, dectris"),
    "layout that does not fit": (
        ["inspect", "{file}", "--layout", "dectris"], "LayoutError", "leave --layout out",
    ),
    "no PID": (["show", "banana"], "InvalidPidError", "hsc search"),
    "almost a PID": (["show", f"{NOBODY[:-1]}U"], "InvalidPidError", "hsc search"),
    "unknown PID": (["show", NOBODY], "DatasetNotFoundError", "hsc search"),
    "unknown version": (["show", f"{NOBODY}@3"], "DatasetNotFoundError", "hsc search"),
    "history of nobody": (["lineage", NOBODY], "DatasetNotFoundError", "hsc search"),
    "export of nobody": (["export", NOBODY, "out.h5"], "DatasetNotFoundError", "hsc search"),
    "reduction": (["reduce", "banana", NOBODY], "UnknownReductionError", "azimuthal, biosaxs"),
    "reduction of nobody": (["reduce", "azimuthal", NOBODY], "DatasetNotFoundError", "hsc search"),
    "no parameter": (["reduce", "azimuthal", NOBODY, "-p", "bins"], "ParameterError", "name=value"),
    "unknown parameter": (
        ["reduce", "azimuthal", NOBODY, "-p", "binz=3"], "ParameterError", "bins",
    ),
    "parameter of another type": (
        ["reduce", "azimuthal", NOBODY, "-p", "bins=many"], "ParameterError", "",
    ),
    "absent recipe": (
        ["reduce", "azimuthal", NOBODY, "--recipe", "absent.toml"], "ParameterError", "path",
    ),
    "no condition": (["search", "--where", "energy"], "InvalidQueryError", "12 keV"),
    "unknown unit": (["search", "--where", "photon_energy > 12 kev"], "InvalidQueryError", "keV"),
    "no time": (["activities", "--since", "yesterday"], "InvalidQueryError", "24h"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_wrong_words_are_told_with_what_would_be_right(shared, tree_file, case: str) -> None:
    words, error, hint = WORDS[case]
    answer = shared(*(word.format(file=tree_file) for word in words), "--json", code=1)
    document: dict[str, Any] = answer.document
    assert document["error"] == error
    assert document["message"]
    assert document["next"]
    assert hint in f"{document['message']} {document['next']}"
    assert answer.stderr == ""
    assert shared.objects() == []


def test_an_error_for_people_has_what_where_and_next(shared, tmp_path: Path) -> None:
    absent = tmp_path / "absent.h5"
    what, where, following = shared("inspect", absent, code=1).error_parts()
    assert (what, where, following) == ("no such file", str(absent), "check the path's spelling")


def test_a_failed_reduction_is_on_record_and_leaves_nothing(hsc, tree_file) -> None:
    pid = hsc.json("ingest", tree_file)["datasets"][0]["pid"]
    before = hsc.objects()
    document = hsc.json("reduce", "azimuthal", pid, code=1)
    assert document["error"] == "RoleMissingError"
    assert "frames" in document["message"]
    assert document["next"]
    assert hsc.objects() == before
    failed = hsc.json("activities", "--failed")["activities"]
    assert [each["type"] for each in failed] == ["reduce"]
    assert failed[0]["failure"]["error"] == "RoleMissingError"


class _Faulty(jobs.InProcess):
    """Runs steps, but the first one meets an error that nobody foresaw."""

    def __init__(self) -> None:
        self.met = False

    def __call__(self, name: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if not self.met and name.startswith("write"):
            self.met = True
            raise IndexError("list index out of range")
        return function(*args, **kwargs)


def test_a_defect_on_one_path_does_not_stop_the_others(
    hsc, tree_file, with_unreadable, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("HSC_HOME", str(hsc.home))
    request = jobs.IngestRequest(
        paths=(str(with_unreadable), str(tree_file)), policy="quarantine", verify="none"
    )
    report = jobs.ingest(request, stage=_Faulty())
    assert [each.source for each in report.datasets] == [str(tree_file)]
    (told,) = report.errors
    assert (told.path, told.error) == (str(with_unreadable), "IndexError")
    assert "list index out of range" in told.message
    assert told.next
    assert "Traceback" in caplog.text
    with hsc.catalog() as catalog:
        (failed,) = catalog.activities(state=ActivityState.FAILED)
    assert failed.failure is not None
    assert failed.failure.error == "IndexError"
    left = [key for key in hsc.objects() if "/data.zarr/" in key]
    assert len({key.split("/data.zarr/")[0] for key in left}) == 1


def test_inspecting_bad_files_writes_nothing_at_all(hsc, bad_files) -> None:
    path, (error, _) = next(
        (path, told) for path, told in bad_files.items() if path.name.startswith("cut-800")
    )
    assert hsc.json("inspect", path, code=1)["error"] == error
    assert list(hsc.home.iterdir()) == []


def test_a_chunk_that_rots_stops_the_ingest_and_leaves_nothing(hsc, tmp_path: Path) -> None:
    path = tmp_path / "rotten.h5"
    values = np.arange(60_000, dtype="u4").reshape(6, 100, 100)
    with h5py.File(path, "w") as file:
        file.create_dataset("frames", data=values, chunks=(1, 100, 100), compression="gzip")
        place = file["frames"].id.get_chunk_info(3)
    with path.open("r+b") as rotten:
        rotten.seek(place.byte_offset + place.size // 2)
        rotten.write(bytes(40))
    document = hsc.json("ingest", path, code=1)
    told = document["errors"][0]
    assert told["error"] == "DamagedSourceError"
    assert "/frames" in told["where"]
    assert told["next"]
    assert hsc.objects() == []
    _assert_only_failures(hsc, {str(path): "DamagedSourceError"})


def test_a_store_is_not_cleared_through_an_address_to_read_by(hsc) -> None:
    told = hsc("gc", "http://127.0.0.1:1/x", code=1).error_parts()
    assert told[0].startswith("'http://127.0.0.1:1/x' is an address to read by")
    assert "HSC_STORE" in told[2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [("search", "--json"), ("--help",), ("search", "--help")])
def test_an_answer_that_does_not_fit_is_an_error_and_no_traceback(hsc, words) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hsc.cli.main", *words],
            env=hsc.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        "error: the answer can't be written: No space left on device"
    )
    assert len(done.stderr.splitlines()) == 3
