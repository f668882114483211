"""Source id: one identity for a run's files, wherever they lie and whenever they were copied.

BLAKE3 over, per file in the order of names: its run-relative name, its size, and its content. Up
to 64 MiB the content is every byte; of a larger file it is the beginning, the end and 512 places
between, together with everything the walk found: the tree, its attributes and the whole chunk
index. See ``docs/decisions/0002-source-id.md`` for why content goes in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from blake3 import blake3

from hsc.layouts import Run, RunArray, RunFile
from hsc.model import canonical_json
from hsc.workers import available_cpus

WHOLE_BYTES = 64 * 2**20
_EDGE_BYTES = 4 * 2**20
_SAMPLES = 512
_SAMPLE_BYTES = 32 * 2**10


Contents = Mapping[Path, bytes]
"""Digest of the content of each file of a run."""


def file_contents(run: Run) -> dict[Path, bytes]:
    """Read the content of a run's files, of large ones the samples, and give its digests."""
    files = run.sources
    with ThreadPoolExecutor(min(available_cpus(), len(files) or 1)) as threads:
        return dict(zip((file.path for file in files), threads.map(_content, files), strict=True))


def source_id(run: Run, contents: Contents | None = None) -> str:
    """Give the identity of a run's files, ``blake3:`` and 64 hexadecimal digits.

    Parameters
    ----------
    contents
        What `file_contents` gave; None: read it now.
    """
    known = file_contents(run) if contents is None else contents
    digest = blake3(b"hsc.source/1")
    for file in sorted(run.sources, key=lambda each: each.name):
        facts = {"name": file.name, "bytes": file.state.nbytes}
        digest.update(canonical_json(facts) + b"\n")
        digest.update(known[file.path])
    digest.update(canonical_json([_group_facts(run), [_array_facts(a) for a in run.arrays]]))
    for array in run.arrays:
        for piece in array.pieces:
            index = piece.dataset.index
            for column in (index.places, index.offsets, index.sizes, index.masks, index.owners):
                digest.update(column.tobytes() if column is not None else b"")
    return f"blake3:{digest.hexdigest()}"


def files_state(run: Run) -> str:
    """Give a digest over size, time and inode of a run's files: the same while nobody wrote."""
    facts = [[file.name, *file.state.facts] for file in run.sources]
    return f"blake3:{blake3(canonical_json(facts)).hexdigest()}"


def file_digests(run: Run, contents: Contents) -> tuple[str, ...]:
    """Give a digest over name, size and content of each of a run's files, sorted."""
    made = []
    for file in run.sources:
        facts = canonical_json([file.name, file.state.nbytes])
        made.append(blake3(facts + contents[file.path]).hexdigest()[:32])
    return tuple(sorted(made))


def run_key(run: Run, contents: Contents | None = None) -> str:
    """Give what all states of a run have in common, as a digest: a late file leaves it as it is.

    Two runs with one key are states of one only if all files of the older are in the newer: a
    folder may be used again.
    """
    file = run.files[0]
    if run.key:
        facts = [run.key]
    else:
        content = _content(file) if contents is None else contents[file.path]
        facts = [file.name, content.hex()]
    return f"blake3:{blake3(b'hsc.run/1' + canonical_json(facts)).hexdigest()}"


def file_marks(run: Run, contents: Contents) -> tuple[bytes, ...]:
    """Give a mark of each of a run's sources: a file of the same mark has the same bytes.

    Of files up to 64 MiB it is the digest of every byte. Of larger ones it is made of size, times
    and inode; it is empty where those don't tell that nobody wrote.
    """
    return tuple(_mark(file, contents[file.path]) for file in run.sources)


def _mark(file: RunFile, content: bytes) -> bytes:
    if wholly_hashed([file]):
        return content
    facts = file.state.mark
    return b"" if facts is None else blake3(content + canonical_json(facts)).digest()


def wholly_hashed(files: Sequence[RunFile]) -> bool:
    """Tell whether every byte of all files went into the source id."""
    return all(file.state.nbytes <= WHOLE_BYTES for file in files)


def _content(file: RunFile) -> bytes:
    size = file.state.nbytes
    digest = blake3()
    if size <= WHOLE_BYTES:
        digest.update_mmap(file.path) if size else None
        return digest.digest()
    for start, length in _samples(size):
        digest.update(_read(file.path, start, length))
    return digest.digest()


def _samples(size: int) -> list[tuple[int, int]]:
    step = (size - 2 * _EDGE_BYTES) // _SAMPLES
    between = [(_EDGE_BYTES + step * n, _SAMPLE_BYTES) for n in range(_SAMPLES)]
    return [(0, _EDGE_BYTES), *between, (size - _EDGE_BYTES, _EDGE_BYTES)]


def _read(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _group_facts(run: Run) -> list[Any]:
    return [[group.path, group.attributes, group.links] for group in run.groups]


def _array_facts(array: RunArray) -> list[Any]:
    facts: list[Any] = [array.path]
    for piece in array.pieces:
        dataset = piece.dataset
        facts.append(
            [
                piece.file,
                dataset.path,
                dataset.shape,
                dataset.maxshape,
                dataset.element.record,
                dataset.storage,
                dataset.index.chunks,
                [[stage.id, stage.values] for stage in dataset.filters],
                dataset.attributes,
            ]
        )
    return facts
