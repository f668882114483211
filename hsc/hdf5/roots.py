"""Roots: the folders that a file's links, virtual datasets and raw data may lead into."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# HDF5 looks in these folders before the one of the file that names another.
PREFIXES = ("HDF5_EXT_PREFIX", "HDF5_VDS_PREFIX", "HDF5_EXTFILE_PREFIX")
# HDF5 reads them once, when it starts: what was set then holds to the end.
_AT_START = frozenset(name for name in PREFIXES if os.environ.get(name))


@dataclass(frozen=True, slots=True)
class Roots:
    """Folders out of which no file is opened, whatever another file names."""

    folders: tuple[Path, ...]
    """Real paths."""
    as_hdf5: bool = False
    """Whether a file counts as found only where HDF5 finds it on this system too: it reads virtual
    datasets itself, and gives fill values for what it can't find. It takes a name with a root of
    Windows for one without anywhere else."""

    @classmethod
    def beside(cls, path: Path) -> Roots:
        """Allow the folder in which a file lies, and those in it."""
        return cls((Path(os.path.realpath(path)).parent,))

    def find(self, name: str, of: Path, *, moved: bool = True) -> tuple[Path | None, str]:
        """Find the file that another names.

        As HDF5 does, a name without a root is looked for beside the file that names it, and one
        with a root there too, by its last part, when it is not where it says: runs are moved.

        Parameters
        ----------
        name
            As it stands in the file.
        of
            The file that names it.
        moved
            Whether a name with a root may be looked for beside that file.

        Returns
        -------
        path
            Real path of the file; None when there is none that may be opened.
        reason
            Why not: ``is missing``, ``leads out of the run's folder`` or that HDF5 was told to
            look elsewhere.
        """
        misled = prefix_obstacle()
        if misled:
            return None, misled
        if not name or "\0" in name:
            return None, "is missing"
        reason = "is missing"
        for candidate in self._candidates(name, of)[: 2 if moved else 1]:
            # Not Path.resolve, which fails on a symbolic link to itself.
            path = Path(os.path.realpath(candidate))
            if not any(path.is_relative_to(folder) for folder in self.folders):
                # HDF5 would open this one: nothing may stand in for it.
                if name_is_rooted(name) and not os.path.lexists(candidate):
                    reason = "leads out of the run's folder"
                    continue
                return None, "leads out of the run's folder"
            if path.is_file():
                return path, ""
        return None, reason

    def _candidates(self, name: str, of: Path) -> list[Path]:
        folder = Path(os.path.realpath(of)).parent
        if self.as_hdf5 and os.name == "posix":
            rooted, last = name.startswith("/"), name.rpartition("/")[2]
        else:
            rooted, last = name_is_rooted(name), name.replace("\\", "/").rpartition("/")[2]
        return [folder / name, *([folder / last] if last and rooted else [])]


def name_is_rooted(name: str) -> bool:
    """Tell whether a file's name begins at a root, of this system or of Windows."""
    return name.startswith(("/", "\\")) or name[1:3] in (":\\", ":/")


def prefix_obstacle() -> str:
    """Tell which variable makes HDF5 look for files elsewhere; an empty text for none."""
    found = [name for name in PREFIXES if name in _AT_START or os.environ.get(name)]
    return f"can't be told while {' and '.join(found)} is set: unset it" if found else ""
