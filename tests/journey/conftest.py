"""The command as its users run it, and small files to run it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import h5py
import numpy as np
import pytest

from hsc.client import Catalog, connect
from hsc.testing import (
    BioSaxsModel,
    BioSaxsPair,
    DectrisRun,
    Detector,
    write_biosaxs_pair,
    write_dectris_run,
)

KILLED = Path(__file__).parent / "killed_program.py"
COMMAND = [sys.executable, "-m", "hsc.cli.main"]
SMALL = Detector(shape=(64, 60), module_shape=(30, 60), gap_shape=(4, 10))
SOLUTION = BioSaxsModel(
    detector=Detector(shape=(120, 100), module_shape=(56, 100), gap_shape=(8, 10)),
    beam_center_px=(40.3, 35.6),
    beamstop_radius_px=5.0,
    beamstop_arm_px=3.0,
    distance_m=0.5,
    dead_pixels=7,
    hot_pixels=4,
)


@dataclass(frozen=True)
class Answer:
    """What one call of the command gave."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; more than one, or none, is an error."""
        assert self.stdout.strip(), f"no document; stderr: {self.stderr}"
        return json.loads(self.stdout)

    def error_parts(self) -> tuple[str, str, str]:
        """Give what, where and next of the only error on stderr."""
        lines = self.stderr.splitlines()
        what = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        where = [line.removeprefix("  where: ") for line in lines if line.startswith("  where: ")]
        following = [line.removeprefix("  next:  ") for line in lines if line.startswith("  next:")]
        assert len(what) == 1, self.stderr
        return what[0], "".join(where), "".join(following)


@dataclass(frozen=True)
class Place:
    """A state directory, and the command working in it."""

    home: Path

    def __call__(self, *words: object, code: int = 0, env: dict[str, str] | None = None) -> Answer:
        """Run ``hsc WORDS``; the exit code must be the one that is expected."""
        done = subprocess.run(
            [*COMMAND, *map(str, words)],
            env=self.environment(env),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert done.returncode == code, f"{words}: {answer}"
        assert "Traceback" not in done.stderr, done.stderr
        return answer

    def json(self, *words: object, code: int = 0, env: dict[str, str] | None = None) -> Any:
        """Run ``hsc WORDS --json``; give the document."""
        return self(*words, "--json", code=code, env=env).document

    @contextmanager
    def begun(
        self, *words: object, env: dict[str, str] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Start ``hsc WORDS --json`` beside this process; it ends with the block."""
        pipe = subprocess.PIPE
        command = [*COMMAND, *map(str, words), "--json"]
        with subprocess.Popen(
            command, env=self.environment(env), stdout=pipe, stderr=pipe, text=True
        ) as running:
            try:
                yield running
            finally:
                running.kill()

    def killed(self, point: tuple[str, str, str], *words: object, store: str | None = None) -> None:
        """Run ``hsc WORDS`` on a store until it dies, as of SIGKILL, at a named point."""
        done = self._struck("SIGKILL", point, words, store)
        assert done.returncode < 0, f"{point} was never reached: {done.stderr}"

    def stopped(self, point: tuple[str, str, str], *words: object) -> Answer:
        """Run ``hsc WORDS --json`` until Ctrl-C is pressed at a named point."""
        done = self._struck("SIGINT", point, (*words, "--json"), None)
        assert done.returncode == 130, f"{point} was never reached: {done.stderr}"
        return Answer(done.returncode, done.stdout, done.stderr)

    def _struck(
        self, name: str, point: tuple[str, str, str], words: Sequence[object], store: str | None
    ) -> subprocess.CompletedProcess[str]:
        url = store or (self.home / "store").as_uri()
        told = {"HSC_STORE": f"watched+{url}", "DIE_AT": " ".join(point), "DIE_OF": name}
        return subprocess.run(
            [sys.executable, str(KILLED), *map(str, words)],
            env=self.environment(told),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Give the environment that the command runs in."""
        return {**os.environ, "HSC_HOME": str(self.home), **(more or {})}

    def objects(self) -> list[str]:
        """List every object in the store but its log, to which every attempt adds a line."""
        store = self.home / "store"
        found = sorted(str(p.relative_to(store)) for p in store.rglob("*") if not p.is_dir())
        return [key for key in found if not key.startswith(".attempts/")]

    def catalog(self) -> Catalog:
        """Open the place's catalog in this process."""
        return connect(f"sqlite:///{self.home / 'catalog.sqlite'}")


@pytest.fixture
def hsc(tmp_path: Path) -> Place:
    """Give the command with a state directory of its own."""
    home = tmp_path / "home"
    home.mkdir()
    return Place(home)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Give the command with a state directory that the tests of one file share."""
    return Place(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give what writes a DECTRIS run of a small detector into a folder of its own."""

    def make(frames: int = 7, frames_per_file: int = 3, **facts: Any) -> Path:
        run = DectrisRun(
            frames=frames,
            frames_per_file=frames_per_file,
            detector=facts.pop("detector", SMALL),
            **facts,
        )
        return write_dectris_run(tmp_path_factory.mktemp("run"), run)

    return make


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> BioSaxsPair:
    """Give runs of buffer and sample on a small detector."""
    return write_biosaxs_pair(
        tmp_path_factory.mktemp("pair"),
        SOLUTION,
        frames=12,
        frames_per_file=5,
        proposal="20260001",
        instrument="P12",
    )


@pytest.fixture(scope="session")
def tree_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a plain HDF5 tree: numbers, text, a scalar, attributes, chunks never written."""
    path = tmp_path_factory.mktemp("tree") / "tree.h5"
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = "a test"
        file["entry/energy"] = 12.4
        file["entry/energy"].attrs["units"] = "keV"
        file["entry/title"] = "a plain tree"
        file["entry/names"] = np.array(["α", "b", ""], dtype=h5py.string_dtype())
        file["entry/counts"] = np.arange(24, dtype=">i4").reshape(2, 3, 4)
        sparse = file.create_dataset(
            "entry/sparse", (100, 80), "u2", chunks=(10, 80), fillvalue=7, compression="gzip"
        )
        sparse[40:50] = np.arange(800, dtype="u2").reshape(10, 80)
    return path


@pytest.fixture(scope="session")
def with_unreadable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with a dataset that can't be carried over, beside one that can."""
    path = tmp_path_factory.mktemp("unreadable") / "unreadable.h5"
    with h5py.File(path, "w") as file:
        file["good"] = np.arange(10)
        times = h5py.h5t.vlen_create(h5py.h5t.UNIX_D32LE)
        h5py.h5d.create(file.id, b"table", times, h5py.h5s.create_simple((3,)))
    return path


@pytest.fixture(scope="session")
def without_hsc() -> Callable[[str], dict[str, Any]]:
    """Give what runs a program in a Python where importing hsc is an error."""
    guard = (
        "import json, sys\n"
        "class Guard:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0].startswith('hsc'):\n"
        "            raise AssertionError('imports ' + name)\n"
        "sys.meta_path.insert(0, Guard())\n"
    )

    def run(program: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-I", "-W", "ignore", "-c", f"{guard}{program}"],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


@pytest.fixture
def stock_tree() -> Callable[[str], str]:
    """Give the lines of docs/reference/zarr-mapping.md that open a version with stock zarr."""

    def lines(location: str) -> str:
        if not Path(url2pathname(urlsplit(location).path), "references.json").exists():
            return f"tree = zarr.open_group({location + '/data.zarr'!r}, mode='r')"
        return (
            f"v = {location!r}\n"
            "options = {'fo': f'{v}/references.json', 'template_overrides': {'v': v}, "
            "'remote_options': {'asynchronous': True}}\n"
            "tree = zarr.open_group('reference://', mode='r', storage_options=options)"
        )

    return lines


@pytest.fixture
def in_place(shared: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Let Python calls of this process work in the shared state directory."""
    monkeypatch.setenv("HSC_HOME", str(shared.home))
    return shared
