"""Carried files: what lay beside a run's arrays, as it was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import unquote

from hsc.model import plain_text
from hsc.store import FILES, CheckedVersion, Manifest, ObjectEntry

_PART = re.compile(r"%part-\d{5}$")
# Of names that were too long, or twins but for their case, the key has only a digest.
_DIGEST = "%-"


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file of the run's folder, carried byte for byte."""

    name: str
    """Its true name in the folder, with slashes; bytes that are no UTF-8 as in ``\\xff``."""
    entries: tuple[ObjectEntry, ...]
    """Its objects: one, or numbered parts."""
    version: CheckedVersion
    """Where it lies."""

    @property
    def nbytes(self) -> int:
        """Its bytes."""
        return sum(entry.nbytes for entry in self.entries)

    @property
    def blake3(self) -> str | None:
        """Its BLAKE3, hexadecimal; None for one in several parts, each of which has its own."""
        return self.entries[0].digest.hex() if len(self.entries) == 1 else None

    def read(self) -> bytes:
        """Give all its bytes, their digest checked.

        Raises
        ------
        DamageError
            They are not what was written.
        """
        return b"".join(self.version.read(entry.key) or b"" for entry in self.entries)

    def save(self, out: BinaryIO) -> None:
        """Write its bytes to an open file, one part in memory at a time."""
        for entry in self.entries:
            out.write(self.version.read(entry.key) or b"")


def carried_files(version: CheckedVersion) -> dict[str, CarriedFile]:
    """Give all carried files of a version by their true names."""
    found: dict[str, list[ObjectEntry]] = {}
    for entry in version.manifest.entries:
        if entry.key.startswith(f"{FILES}/"):
            found.setdefault(_name(version.manifest, entry), []).append(entry)
    return {
        name: CarriedFile(name, tuple(sorted(entries, key=lambda entry: entry.key)), version)
        for name, entries in sorted(found.items())
    }


def _name(manifest: Manifest, entry: ObjectEntry) -> str:
    key = _PART.sub("", entry.key.removeprefix(f"{FILES}/"))
    if _DIGEST in key:
        return manifest.files[entry.source_file]
    return plain_text(unquote(key, errors="surrogateescape"))
