"""What an opened dataset shows of itself: enough to know it, nothing that obeys a file's wishes."""

from __future__ import annotations

import html.parser
import re
from dataclasses import replace

import h5py
import numpy as np
import pytest

from hsc.ingestion.tree import NewArray, NewTree
from hsc.model import Quantity
from hsc.reading import open_dataset, open_tree
from hsc.reading.card import read_picture
from hsc.store import DATA, DirectoryObjects, Manifest, VersionWriter, digest_entry

EVIL = "<script>alert('1')</script>\x1b[31m\"><img src=x onerror=alert(1)>\n& more"
PICTURE = b"\x89PNG\r\n\x1a\nand so on"
NAMED = r"/<b onclick=alert\(2\)>"


class Tags(html.parser.HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, name) for name, _ in attrs] or [(tag, "")]


@pytest.fixture
def evil(tmp_path, keep):
    """A file that would like to run a script where it is shown."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["<b onclick=alert(2)>"] = np.arange(3)
        file.attrs["title"] = EVIL
    kept = keep(tmp_path / "a.h5")
    told = {
        "title": EVIL, "facility": EVIL, "instrument": EVIL, "sample": EVIL, "technique": EVIL,
        "proposal": EVIL, "quantities": {EVIL: Quantity(value=1, unit=EVIL)},
    }  # fmt: skip
    return replace(kept, record=kept.record.model_copy(update=told))


def test_nothing_of_a_file_becomes_html_or_a_terminals_command(evil):
    tree = open_tree(evil.open())
    for page in (tree._repr_html_(), tree.hsc._repr_html_()):
        tags = Tags()
        tags.feed(page)
        assert {tag for tag, _ in tags.found} <= {
            "div", "h3", "p", "code", "table", "tr", "th", "td", "details", "summary",
        }  # fmt: skip
        assert {name for _, name in tags.found} <= {"", "class", "style"}
        assert "alert(1)" in page
        assert "\x1b" not in page
    for text in (repr(tree), str(tree), repr(tree.hsc)):
        assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f]*", text)
        assert re.search(NAMED, text)
        assert len(text.splitlines()) < 30


def test_a_card_says_what_it_is_and_reads_no_chunk(kept):
    record = kept.record.model_copy(update={
        "instrument": "BioMAX", "sample": "lysozyme", "bytes_out": 12_300_000,
        "quantities": {"photon_energy": Quantity(value=12.4, unit="keV")},
    })  # fmt: skip
    for path in (kept.folder / DATA).rglob("*"):
        if path.is_file() and "c" in path.relative_to(kept.folder).parts:
            path.unlink()
    tree = open_tree(open_dataset(record))
    for shown in (repr(tree), tree._repr_html_()):
        for word in ("BioMAX", "lysozyme", "12.3 MB", "photon energy", "12.4 keV", str(record.pid),
                     "9 × 32 × 24", "This computer (2026): a run. Version 1."):  # fmt: skip
            assert word in shown, word
    assert repr(tree.hsc.xarray()).startswith("<xarray.DataTree")
    assert repr(tree["entry"]).startswith("<xarray.DataTree")


def with_picture(folder, make_dataset_record, picture, written):
    """Write a version that has nothing but a picture."""
    from hsc.store import GroupSpec, metadata_objects

    writer = VersionWriter(DirectoryObjects(folder.parent), folder.name)
    documents = metadata_objects([GroupSpec("/", "")], [])
    entries = writer.put_metadata({f"{DATA}/{key}": text for key, text in documents.items()})
    entry = digest_entry("preview/a/preview.png", picture)
    writer.put(entry, written)
    manifest = writer.commit([*entries, entry], source_id=None, files=(), gaps=())
    assert isinstance(manifest, Manifest)
    return open_dataset(make_dataset_record(manifest.root, folder.as_uri()))


def test_a_preview_is_shown_inline(tmp_path, make_dataset_record):
    dataset = with_picture(tmp_path / "v1", make_dataset_record, PICTURE, PICTURE)
    assert read_picture(dataset) == PICTURE
    assert open_tree(dataset).hsc.picture() == PICTURE
    assert (
        "src='data:image/png;base64,iVBORw0KGgphbmQgc28gb24='" in open_tree(dataset)._repr_html_()
    )


@pytest.mark.parametrize("picture", [b"<svg onload=alert(1)>", b""])
def test_what_is_no_picture_is_not_shown_as_one(tmp_path, make_dataset_record, picture):
    dataset = with_picture(tmp_path / "v1", make_dataset_record, picture, picture)
    assert "<img" not in open_tree(dataset)._repr_html_()


def test_a_damaged_preview_is_told_and_the_rest_is_shown(tmp_path, make_dataset_record):
    dataset = with_picture(tmp_path / "v1", make_dataset_record, PICTURE, PICTURE[:-1] + b"N")
    shown = open_tree(dataset)._repr_html_()
    assert "CorruptShardError" in shown
    assert "a run" in shown


def test_a_tree_made_by_hand_is_shown_by_xarray(keep_tree):
    kept = keep_tree(NewTree(arrays=(NewArray("/g/I", np.arange(3.0), ("q",)),)))
    tree = open_tree(kept.open())
    assert repr(tree.copy()).startswith("<xarray.DataTree") or "a run" in repr(tree.copy())
    assert "I" in repr(tree.isel(q=0))
