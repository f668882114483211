"""Every real file through an ingest and back: the outcomes, and the table that tells them.

``.venv/bin/python tests/independent/real_files.py FOLDER`` writes the table anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "docs" / "reference" / "real-files.md"
SLOWEST_S = 60
_NAMED_GAPS = 12
GROUPS = 8
_HEAD = """# What becomes of real files

Files that other people's programs wrote (`tests/README.md` says where they are), each taken in
with `hsc ingest --policy quarantine` and compared with an independent reader: h5py on the source,
stock zarr on the tree, by `zarr-mapping.md` and without a line of hsc (`tests/independent`).
Arrays, attributes and links are those found equal, bit for bit; what is not carried is a gap with
its reason. No file may take more than 60 s. Written by
`.venv/bin/python tests/independent/real_files.py`; `tests/journey/test_every_real_file.py` checks
it against the files.

| file | outcome | arrays | attributes | links | gaps |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    """Name below the folder of real files."""
    error: str
    """Class of the error that refused it; empty when it was taken in."""
    gaps: dict[str, str]
    """Reason by path."""
    arrays: int
    """Datasets found equal."""
    attributes: int
    """Attributes found equal."""
    links: int
    """Links found equal."""
    wrong: tuple[str, ...]
    """What differs and is no gap: none may."""
    seconds: float
    """What the ingest took."""
    pid: str = ""
    """PID of the dataset; empty when it was refused."""

    def line(self) -> str:
        """Give its line of the table."""
        words = f"refused: {self.error}" if self.error else "with gaps" if self.gaps else "whole"
        counts = ("", "", "") if self.error else (self.arrays, self.attributes, self.links)
        return f"| {self.name} | {words} | {' | '.join(map(str, counts))} | {self._gaps()} |"

    def _gaps(self) -> str:
        told = [f"`{path}`: {reason}" for path, reason in sorted(self.gaps.items())]
        more = len(told) - _NAMED_GAPS
        listed = "; ".join(told[:_NAMED_GAPS] + ([f"and {more} more"] if more > 0 else []))
        return listed.replace("|", "\\|").replace("\n", " ")


def real_files(folder: Path) -> list[Path]:
    """List the files of a folder of real files."""
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name != "MANIFEST.tsv"
    )


def groups(folder: Path) -> Iterator[list[Path]]:
    """Deal the files out in groups, each small enough for a test."""
    files = real_files(folder)
    for number in range(GROUPS):
        yield files[number::GROUPS]


def outcomes(folder: Path, files: Sequence[Path], home: Path) -> list[Outcome]:
    """Take files in with the command, and compare what came of them.

    Parameters
    ----------
    home
        State directory of the ingests.
    """
    report = _ingest(files, home)
    versions = {found.parent.parent.name: found.parent for found in home.rglob("v*/manifest")}
    errors = {each["path"]: each["error"] for each in report["errors"]}
    made = {each["source"]: each for each in report["datasets"]}
    return [
        _outcome(folder, file, made.get(str(file)), errors.get(str(file), ""), versions)
        for file in files
    ]


def taken_in(files: Sequence[Path], home: Path) -> dict[Path, str]:
    """Take files in; give the PID of each that has no gap."""
    made = _ingest(files, home)["datasets"]
    return {Path(each["source"]): each["pid"] for each in made if not each["gaps"]}


def _ingest(files: Sequence[Path], home: Path) -> Any:
    command = [sys.executable, "-m", "hsc.cli.main", "ingest", *map(str, files)]
    done = subprocess.run(
        [*command, "--policy", "quarantine", "--verify", "none", "--json"],
        env={**os.environ, "HSC_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=SLOWEST_S * len(files),
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _outcome(folder: Path, file: Path, made: Any, error: str, versions: dict[str, Path]) -> Outcome:
    name = file.relative_to(folder).as_posix()
    if made is None:
        return Outcome(name, error or "nothing was told", {}, 0, 0, 0, (), 0.0)
    # h5py and zarr take a second to import.
    from independent.comparing import compare_file

    gaps = {gap["path"]: gap["reason"] for gap in made["gaps"]}
    found = compare_file(file, versions[made["pid"].rpartition("/")[2]], gaps)
    counts = (found.arrays, found.attributes, found.links)
    return Outcome(name, "", gaps, *counts, tuple(found.wrong), made["seconds"], made["pid"])


def write_table(folder: Path) -> list[Outcome]:
    """Write the table anew; give the outcomes."""
    found: list[Outcome] = []
    for files in groups(folder):
        with tempfile.TemporaryDirectory() as home:
            found += outcomes(folder, files, Path(home))
    lines = sorted(each.line() for each in found)
    TABLE.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY / "tests"))
    place = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HSC_REALFILES", "")
    wrong = [what for each in write_table(Path(place)) for what in each.wrong]
    sys.stderr.write("".join(f"{what}\n" for what in wrong))
    sys.exit(bool(wrong))
