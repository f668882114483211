"""No damage to what is stored reads as data, on a directory and on S3."""

from __future__ import annotations

from pathlib import Path

import pytest
from journey.fault_matrix import CODECS, EQUAL, TABLE, make_table, read_table, run_matrix
from servers.fixtures import Bucket

# Some hundred reads, each of a dataset that is opened anew.
pytestmark = pytest.mark.timeout(600)


def test_damage_in_a_directory_is_told_and_a_replica_helps(tmp_path: Path) -> None:
    cells = run_matrix(tmp_path)
    for cell in cells:
        *alone, beside = cell.ends
        assert "different" not in cell.ends, cell
        assert beside == EQUAL, cell
        assert alone[-1] != "whole", cell
    assert make_table(cells) == TABLE.read_text("utf-8")


def test_damage_in_a_bucket_ends_as_in_a_directory(
    tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, every_codec: bool
) -> None:
    monkeypatch.setenv("HSC_STORE", bucket.url)
    told = read_table()
    cells = run_matrix(tmp_path, tuple(CODECS) if every_codec else ("none", "deflate"))
    assert len(cells) > 40
    for cell in cells:
        assert cell.ends == told[cell.what, cell.damage, cell.codec], cell
