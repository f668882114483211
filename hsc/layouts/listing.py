"""Listing: what lies in a run's folder, and what of it is left out, by name."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path

from hsc.errors import SourceMissingError
from hsc.hdf5 import FileState, Problem
from hsc.layouts.run import RunFile

# What editors, desktops and network file systems leave behind, and nobody would miss.
_LEFTOVER = re.compile(
    r".*~|#.*#|\.#.*|\..*\.sw[a-p]|\.nfs[0-9a-f]+|\.fuse_hidden.*|\._.*|\.DS_Store|"
    r"Thumbs\.db|desktop\.ini|\.~lock\..*#"
)
# Names that rsync (.name.h5.AbC123), scp clients and browsers give a file while they copy it.
_COPYING = re.compile(r"\..+\.(?:h5|nxs|hdf5|cxi)\.[A-Za-z0-9]{6}|.+\.(?:filepart|crdownload)")


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder."""

    folder: Path
    """The folder, without symbolic links on its path."""
    files: tuple[RunFile, ...]
    """All regular files that belong to the run, by name."""
    links: dict[str, str]
    """Symbolic links within the folder: name to the name of what they lead to."""
    problems: tuple[Problem, ...]
    """What can't be read, or leads out of the folder."""
    missing: tuple[str, ...]
    """Files that somebody is still copying."""
    notes: tuple[str, ...]
    """What was left out, and why."""

    @property
    def names(self) -> set[str]:
        """Names of all files and links, of those that can't be read too."""
        unread = {problem.path.lstrip("/") for problem in self.problems}
        return {file.name for file in self.files} | set(self.links) | unread


def paths_below(path: Path) -> Iterator[Path]:
    """Give the paths of all that lies in a folder and below it, without looking at any of it.

    Nothing for what is no folder; what can't be listed is left to `list_folder` to tell.
    """
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names)


def list_folder(path: Path) -> Listing:
    """List a folder and all below it; no symbolic link is followed.

    Raises
    ------
    SourceMissingError
        The folder itself can't be listed.
    """
    lister = _Lister(Path(realpath(path)))
    lister.run()
    return lister.listing()


class _Lister:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[RunFile] = []
        self.links: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.missing: list[str] = []
        self.notes: list[str] = []

    def run(self) -> None:
        waiting = [self.folder]
        while waiting:
            waiting += self._list(waiting.pop())

    def listing(self) -> Listing:
        return Listing(
            self.folder,
            tuple(sorted(self.files, key=lambda file: os.fsencode(file.name))),
            dict(sorted(self.links.items())),
            tuple(sorted(self.problems, key=lambda problem: problem.path)),
            tuple(sorted(self.missing)),
            tuple(sorted(self.notes)),
        )

    def _list(self, folder: Path) -> list[Path]:
        """Take up what lies in one folder; give the folders in it."""
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError as error:
            if folder == self.folder:
                raise SourceMissingError(
                    f"the folder can't be listed: {error.strerror}",
                    where=str(folder),
                    next_step="check its owner and mode, or run as a member of its group",
                ) from error
            self._problem(folder, f"the folder can't be listed: {error.strerror}")
            return []
        if not entries and folder != self.folder:
            self.notes.append(f"left out: {self._name(folder)}, an empty folder")
        return [path for entry in entries if (path := self._take(entry)) is not None]

    def _take(self, entry: os.DirEntry[str]) -> Path | None:
        """Take up an entry; give its path when it is a folder to be listed."""
        path, name = Path(entry.path), self._name(Path(entry.path))
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            self._link(path, name)
        elif stat.S_ISDIR(mode):
            return path
        elif not stat.S_ISREG(mode):
            self.notes.append(f"left out: {name}, no file but a {_kind(mode)}")
        elif _COPYING.fullmatch(entry.name):
            self.missing.append(f"what is still being copied as {name}")
        elif _LEFTOVER.fullmatch(entry.name):
            self.notes.append(f"left out: {name}, a leftover of an editor, desktop or file system")
        else:
            self._file(path, name)
        return None

    def _file(self, path: Path, name: str) -> None:
        try:
            path.open("rb").close()
        except OSError as error:
            self._problem(path, f"the file can't be read: {error.strerror}")
        else:
            self.files.append(RunFile(name, path, FileState(path)))

    def _link(self, path: Path, name: str) -> None:
        target = Path(realpath(path))
        if not target.is_relative_to(self.folder):
            self._problem(path, f"a symbolic link out of the run's folder, to {os.readlink(path)}")
        elif not target.exists():
            self._problem(path, f"a symbolic link to {os.readlink(path)}, which is not there")
        else:
            self.links[name] = self._name(target)

    def _problem(self, path: Path, reason: str) -> None:
        self.problems.append(Problem(f"/{self._name(path)}", reason))

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFSOCK: "socket",
        stat.S_IFIFO: "named pipe",
        stat.S_IFCHR: "character device",
        stat.S_IFBLK: "block device",
    }
    return kinds.get(stat.S_IFMT(mode), "special file")
