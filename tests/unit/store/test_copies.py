"""A version of which several copies are known is read while one of them is whole."""

from __future__ import annotations

import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hsc.errors import CorruptShardError, ManifestError, MissingShardError
from hsc.store import DirectoryObjects, add_scheme, open_version

SHARD = "data.zarr/frames/c/0/0/0"


@pytest.fixture
def copy(version, tmp_path):
    """A second copy of the version."""
    folder = tmp_path / "elsewhere" / "v1"
    shutil.copytree(version.folder, folder)
    return folder


def damage(path):
    path.write_bytes(bytes(path.stat().st_size))


def remove(path):
    path.unlink()


@pytest.mark.parametrize("harm", [damage, remove])
def test_what_one_copy_lacks_is_read_from_the_next_and_said_once(version, copy, caplog, harm):
    expected = open_version(copy.as_uri()).read_chunks(SHARD, [0, 1])
    harm(version.file(SHARD))
    opened = open_version(version.url, others=[copy.as_uri()])
    with caplog.at_level(logging.WARNING):
        assert opened.read_chunks(SHARD, [0, 1]) == expected
        assert opened.read(SHARD) == (copy / SHARD).read_bytes()
        assert opened.read_range(SHARD, 0, None) == (copy / SHARD).read_bytes()
    assert len(caplog.records) == 1
    assert copy.as_uri() in caplog.text
    assert SHARD in caplog.text


def test_without_a_whole_copy_the_first_ones_error_is_raised(version, copy):
    remove(version.file(SHARD))
    damage(copy / SHARD)
    with pytest.raises(MissingShardError) as caught:
        open_version(version.url, others=[copy.as_uri()]).read_chunk(SHARD, 0)
    assert caught.value.where.startswith(version.url)


def test_a_copy_of_another_root_never_stands_in(make_version):
    version, other = make_version("one"), make_version("two", fill_value=10)
    damage(version.file(SHARD))
    with pytest.raises(CorruptShardError):
        open_version(version.url, others=[other.url]).read_chunk(SHARD, 0)


def test_a_copy_that_is_gone_is_passed_over(version, copy, tmp_path):
    remove(version.file(SHARD))
    others = [(tmp_path / "nowhere").as_uri(), copy.as_uri()]
    assert open_version(version.url, others=others).read_chunk(SHARD, 0) is not None


def test_a_copy_that_can_not_be_asked_hides_neither_the_next_nor_the_first_ones_error(
    version, copy
):
    unknown = "nobodys-scheme://bucket/v1"
    remove(version.file(SHARD))
    others = [unknown, copy.as_uri()]
    assert open_version(version.url, others=others).read_chunk(SHARD, 0) is not None
    with pytest.raises(MissingShardError):
        open_version(version.url, others=[unknown]).read_chunk(SHARD, 0)
    remove(version.file("manifest"))
    assert open_version(version.url, others=others).read_chunk(SHARD, 0) is not None
    with pytest.raises(ManifestError):
        open_version(version.url, others=[unknown])


def test_others_read_on_while_a_further_copy_is_opened(version, copy):
    damage(version.file(SHARD))
    opening, go = threading.Event(), threading.Event()

    def open_slowly(url):
        opening.set()
        go.wait(30)
        return DirectoryObjects(copy)

    add_scheme("slow", open_slowly)
    opened = open_version(version.url, others=["slow://v1"])
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(opened.read_chunk, SHARD, 0)
        assert opening.wait(30)
        try:
            whole = pool.submit(opened.read_chunk, "data.zarr/frames/c/1/0/0", 0)
            assert whole.result(10) is not None
        finally:
            go.set()
        assert waiting.result(30) is not None


def test_a_manifest_that_is_damaged_is_read_from_the_next_copy(version, copy):
    damage(version.file("manifest"))
    root = version.manifest.root
    opened = open_version(version.url, others=[copy.as_uri()], root=root)
    assert (opened.objects.url, opened.manifest.root) == (copy.as_uri(), root)
    with pytest.raises(ManifestError):
        open_version(version.url, others=[(copy / "not there").as_uri()], root=root)


def test_a_manifest_of_another_root_than_wanted_is_refused(version):
    with pytest.raises(ManifestError, match="root"):
        open_version(version.url, root="blake3:" + 64 * "0")
