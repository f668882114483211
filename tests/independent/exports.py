"""Every real file back to HDF5: what comes of it, and the table that tells.

``.venv/bin/python tests/independent/exports.py FOLDER`` writes the table anew.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "docs" / "reference" / "exported-files.md"
_MOST_WORDS = 3
_HEAD = """# What comes back of real files

The files of [What becomes of real files](real-files.md) that were taken in without a gap, each
written back with `hsc export --filters original` and held against its source by the HDF Group's
own `h5diff` (1.10.8, with the plug-ins of hdf5plugin): *equal* is no difference. Where that gives
up (it has no LZF, can't compare times, or takes more than 30 s), *as h5py reads it* says that
every dataset, attribute and link of what came back is, bit for bit, what is in the store
(`tests/independent`). Notes are what export tells of a file. Written by
`.venv/bin/python tests/independent/exports.py`; `tests/journey/test_every_real_file.py` checks it.

| file | comes back | notes |
|---|---|---|
"""


@dataclass(frozen=True)
class Returned:
    """What came back of one file."""

    name: str
    """Name below the folder of real files."""
    equal: str
    """How it was found equal; empty when it was not."""
    notes: tuple[str, ...]
    """What export told of it."""
    wrong: tuple[str, ...]
    """What differs: nothing may."""

    def line(self) -> str:
        """Give its line of the table."""
        more = len(self.notes) - _MOST_WORDS
        told = list(self.notes[:_MOST_WORDS]) + ([f"and {more} more"] if more > 0 else [])
        return f"| {self.name} | {self.equal} | {'; '.join(told)} |".replace("\n", " ")


def exported(
    folder: Path, datasets: dict[Path, str], versions: Path, scratch: Path
) -> list[Returned]:
    """Write datasets back, and compare.

    Parameters
    ----------
    datasets
        PID of each file's dataset, of those without gaps.
    versions
        State directory that their catalog and store are in, which ``HSC_HOME`` names.
    scratch
        Where to write.
    """
    folders = {found.parent.parent.name: found.parent for found in versions.rglob("v*/manifest")}
    return [
        _returned(file, file.relative_to(folder).as_posix(), pid, folders, scratch)
        for file, pid in datasets.items()
    ]


def _returned(file: Path, name: str, pid: str, folders: dict[str, Path], scratch: Path) -> Returned:
    # hsc and zarr take a second to import.
    import hsc
    from independent.comparing import compare_file
    from independent.h5diff import h5diff, only_empty

    with tempfile.TemporaryDirectory(dir=scratch) as place:
        made = hsc.export(pid, Path(place) / "out")
        back = made.path / file.name if made.path.is_dir() else made.path
        notes = tuple(f"`{each.path}`: {each.reason}" for each in made.notes)
        lost = tuple(f"{gap.path}: {gap.reason}" for gap in made.gaps)
        code, told = h5diff(file, back)
        if code == 0 and not told:
            return Returned(name, "equal", notes, lost)
        if code == 1 or (code == 0 and not only_empty(told)):
            return Returned(name, "", notes, (*lost, *told))
        found = compare_file(back, folders[pid.rpartition("/")[2]], {})
        how = "as h5py reads it" if code else "equal"
        return Returned(name, how, notes, (*lost, *found.wrong))


def write_table(folder: Path) -> list[Returned]:
    """Write the table anew; give what came back."""
    from independent.real_files import groups, taken_in

    found: list[Returned] = []
    for files in groups(folder):
        with tempfile.TemporaryDirectory() as home:
            os.environ["HSC_HOME"] = home
            whole = taken_in(files, Path(home))
            found += exported(folder, whole, Path(home), Path(home))
    lines = sorted(each.line() for each in found)
    TABLE.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return found


def chosen(files: Sequence[Path], whole: dict[Path, str], every: bool) -> dict[Path, str]:
    """Choose those that are written back: all, or each third."""
    wanted = set(files if every else files[::3])
    return {file: pid for file, pid in whole.items() if file in wanted}


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY / "tests"))
    source = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HSC_REALFILES", ""))
    differing = [f"{each.name}: {what}" for each in write_table(source) for what in each.wrong]
    sys.stderr.write("".join(f"{what}\n" for what in differing))
    sys.exit(bool(differing))
