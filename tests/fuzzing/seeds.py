"""Small whole files of many constructs, to be damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

_RNG = np.random.default_rng(3)
_IMAGE = _RNG.poisson(3, (6, 24, 20)).astype("u2")


def _filters(file: h5py.File) -> None:
    for name, options in {
        "gzip": {"compression": "gzip", "shuffle": True},
        "lzf": {"compression": "lzf", "fletcher32": True},
        "scaled": {"scaleoffset": 0},
        "bitshuffle": dict(hdf5plugin.Bitshuffle()),
        "zstd": dict(hdf5plugin.Bitshuffle(cname="zstd")),
        "blosc": dict(hdf5plugin.Blosc()),
        "lz4": dict(hdf5plugin.LZ4()),
    }.items():
        file.create_dataset(name, data=_IMAGE, chunks=(1, 24, 20), **options)


def _plain(file: h5py.File) -> None:
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry["counts"] = np.arange(60, dtype=">i4").reshape(3, 4, 5)
    entry["energy"] = 12.4
    entry["energy"].attrs["units"] = "keV"
    entry["flags"] = np.array([True, False, True])
    entry["complex"] = np.arange(4) * 1j
    sparse = entry.create_dataset("sparse", (50, 8), "f4", chunks=(5, 8), fillvalue=-1)
    sparse[20:25] = 7
    grown = entry.create_dataset("grown", (3, 4), "i2", maxshape=(None, 4), chunks=(2, 4))
    grown[...] = 5


def _constructs(file: h5py.File) -> None:
    kind = np.dtype([("a", ">i4"), ("b", "f4", (2,)), ("c", "S5")])
    file["table"] = np.array([(1, (2, 3), b"x"), (4, (5, 6), b"yz")], kind)
    ragged = file.create_dataset("ragged", (3,), h5py.vlen_dtype(np.dtype("i4")))
    ragged[0], ragged[2] = np.arange(4, dtype="i4"), np.arange(2, dtype="i4")
    file.create_dataset("text", data=["α", "b", ""], dtype=h5py.string_dtype())
    file.create_dataset("fixed", data=np.array([b"ab", b"c"]))
    states = h5py.enum_dtype({"ON": 1, "OFF": 0}, basetype="u1")
    file.create_dataset("enum", data=np.array([1, 0], "u1"), dtype=states)
    file["null"] = h5py.Empty("f8")
    file.create_dataset("opaque", data=np.array([b"1234"], "V4"))
    file["kind"] = kind
    file.create_dataset("where", data=[file["table"].ref], dtype=h5py.ref_dtype)
    file.attrs["table"] = np.array((1, (2.0, 3.0), b"x"), kind)
    file.attrs["words"] = ["a", "bc"]


def _links(file: h5py.File) -> None:
    file["a/b/c/d"] = np.arange(5)
    file["again"] = file["a/b"]
    file["a/b/up"] = h5py.SoftLink("/a")
    file["away"] = h5py.ExternalLink("absent.h5", "/x")
    file["dangling"] = h5py.SoftLink("/nowhere")
    file["a"]["round"] = file["/"]
    for number in range(30):
        file[f"many/{number:03d}"] = number
    layout = h5py.VirtualLayout((2, 5), "i8")
    layout[0] = h5py.VirtualSource(".", "/a/b/c/d", (5,))
    file.create_virtual_dataset("virtual", layout, fillvalue=-1)


def write_seeds(folder: Path) -> list[Path]:
    """Write the files, each by the oldest and the newest format."""
    made = []
    builders: list[Callable[[h5py.File], None]] = [_filters, _plain, _constructs, _links]
    for build in builders:
        for format_name in ("earliest", "latest"):
            path = folder / f"{build.__name__.strip('_')}-{format_name}.h5"
            with h5py.File(path, "w", libver=format_name) as file:
                build(file)
            made.append(path)
    return made
