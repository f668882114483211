"""What was made in an order that its file kept has that order again in the file that is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
from h5py import h5, h5a, h5p

from hsc.exporting import export_run
from hsc.ingestion import commit_plan, make_plan, write_plan
from hsc.layouts import read_run
from hsc.model import Dataset, Kind, Pid
from hsc.reading import open_dataset
from hsc.workers import Silent, ThreadWorkers


def write(path: Path) -> None:
    with h5py.File(path, "w", track_order=True) as file:
        for name in ("z", "a"):
            file[name] = range(3)
        file["link"] = h5py.SoftLink("/a")
        file["group/below"] = 1
        file["again"] = file["a"]
        file["a_type"] = h5py.h5t.NATIVE_INT16.dtype
        made = file.create_dataset("data", data=[1, 2], track_order=True)
        plain = file.create_group("plain", track_order=False)
        for node in (file, made, plain):
            for name in ("y", "b", "n"):
                node.attrs[name] = name
        created = h5p.create(h5p.GROUP_CREATE)
        created.set_link_creation_order(h5p.CRT_ORDER_TRACKED)
        tracked = h5py.Group(h5py.h5g.create(file.id, b"tracked", gcpl=created))
        for name in ("q", "p"):
            tracked[name] = h5py.SoftLink("/z")


def orders(path: Path) -> dict[str, Any]:
    """Give what a file keeps of order, group by group and dataset by dataset."""
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        for name in ("/", "group", "plain", "tracked", "data", "a"):
            node, links, attributes = file[name], [], []
            created = node.id.get_create_plist()
            flags = [created.get_attr_creation_order()]
            if isinstance(node, h5py.Group):
                flags.append(created.get_link_creation_order())
                index = h5.INDEX_CRT_ORDER if flags[-1] else h5.INDEX_NAME
                node.id.links.iterate(links.append, idx_type=index)
            index = h5.INDEX_CRT_ORDER if flags[0] else h5.INDEX_NAME
            h5a.iterate(node.id, lambda n, *_, to=attributes: to.append(n), index_type=index)
            found[name] = flags, links, attributes
    return found


def there_and_back(source: Path, folder: Path) -> Path:
    """Take a file in and write it back."""
    store, location = (folder / "store").as_uri(), "x/v1"
    plan = make_plan(read_run(source, layout=None, time_zone="UTC"), policy="strict")
    workers, progress = ThreadWorkers(1), Silent()
    done = write_plan(plan, store, location, workers=workers, progress=progress, resumed=False)
    manifest = commit_plan(plan, store, location, done.entries)
    record = Dataset(
        pid=Pid.generate("hsc.local"), kind=Kind.RAW, title="a run", facility="local",
        root=manifest.root, created="2026-11-22T10:00:00Z", layout="plain",
        location=f"{store}/{location}", bytes_in=0, bytes_out=0,
    )  # fmt: skip
    return export_run(open_dataset(record), folder / "back.h5").path


def test_links_and_attributes_come_back_in_the_order_of_their_making(tmp_path: Path) -> None:
    write(tmp_path / "a.h5")
    made, written = orders(tmp_path / "a.h5"), orders(there_and_back(tmp_path / "a.h5", tmp_path))
    assert made["/"][1][:3] == [b"z", b"a", b"link"]
    assert made["data"][2] == [b"y", b"b", b"n"]
    assert written == made
