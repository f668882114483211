"""A server whose store is a directory delivers exactly what its caller may see."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import h5py
import httpx
import numpy as np
import pytest
from delivery.conftest import FRAMES, Facility, take_in

import hsc
from hsc import jobs
from hsc.errors import DatasetNotFoundError, LocationRefusedError, UnauthenticatedError
from hsc.model import AccessChange, Pid
from hsc.store import MANIFEST_KEY, open_objects, open_version
from hsc.testing.contracts import example_activity
from hsc_catalog import SqlCatalog

TRUTH = FRAMES + np.uint16(3)


def ask(facility: Facility, path: str, who: str = "member", **headers: str) -> httpx.Response:
    address = f"{facility.server.url}/v1/datasets/{facility.pid}/{path}"
    token = {"Authorization": f"Bearer {facility.tokens[who]}"}
    return httpx.get(address, headers={**token, **headers})


@pytest.mark.parametrize("who", ["member", "link"])
def test_a_token_or_a_link_is_all_that_it_takes(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, who: str
) -> None:
    facility.sign_in(monkeypatch, laptop, who)
    tree = hsc.open(facility.pid)
    assert np.array_equal(tree["a.h5/entry/data/frames"].values, TRUTH)
    assert "note.txt" in tree.hsc.files
    assert facility.pid in [each.pid for each in hsc.search(facility="maxiv").datasets]
    fetched = jobs.fetch(jobs.FetchRequest(pid=facility.pid, folder=str(tmp_path / "copy")))
    assert not fetched.not_fetched
    assert not jobs.verify_folder((tmp_path / "copy").as_uri()).damaged
    found = jobs.verify(jobs.VerifyRequest(pid=facility.pid))
    assert found.objects
    assert not found.damaged
    hsc.export(facility.pid, tmp_path / "exported")
    assert (tmp_path / "exported" / "note.txt").read_text() == "how it was measured\n"
    with h5py.File(tmp_path / "exported" / "a.h5") as file:
        assert np.array_equal(file["entry/data/frames"][...], TRUTH)


@pytest.mark.parametrize("who", ["stranger", None])
def test_what_one_may_not_see_is_not_there(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch, who: str | None
) -> None:
    facility.sign_in(monkeypatch, laptop, who)
    with pytest.raises(DatasetNotFoundError):
        hsc.open(facility.pid)
    base = f"{facility.server.url}/v1/datasets/{facility.pid}"
    headers = {"Authorization": f"Bearer {facility.tokens[who]}"} if who else {}
    for answer in (
        httpx.post(f"{base}/urls", json={"keys": [MANIFEST_KEY]}, headers=headers),
        httpx.post(f"{base}/credentials", headers=headers),
        httpx.get(f"{base}/objects/{MANIFEST_KEY}", headers=headers),
    ):
        assert answer.status_code in (401, 404)
        assert "store" not in answer.text


def test_a_token_that_does_not_count_is_an_error_that_says_so(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facility.sign_in(monkeypatch, laptop, None)
    monkeypatch.setenv("HSC_TOKEN", "hsc_expired")
    with pytest.raises(UnauthenticatedError, match="no such token") as caught:
        hsc.open(facility.pid)
    assert "hsc_expired" not in str(caught.value)


def test_ranges_are_given_as_the_standard_has_them(facility: Facility) -> None:
    whole = ask(facility, f"objects/{MANIFEST_KEY}")
    data, tag = whole.content, whole.headers["etag"]
    assert whole.status_code == 200
    assert open_version(facility.location).objects.get(MANIFEST_KEY) == data
    part = ask(facility, f"objects/{MANIFEST_KEY}", Range="bytes=3-10")
    assert (part.status_code, part.content) == (206, data[3:11])
    assert part.headers["content-range"] == f"bytes 3-10/{len(data)}"
    last = ask(facility, f"objects/{MANIFEST_KEY}", Range="bytes=-5")
    assert last.content == data[-5:]
    beyond = ask(facility, f"objects/{MANIFEST_KEY}", Range=f"bytes={len(data)}-")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(data)}"
    known = ask(facility, f"objects/{MANIFEST_KEY}", **{"If-None-Match": tag})
    assert (known.status_code, known.content) == (304, b"")
    changed = ask(facility, f"objects/{MANIFEST_KEY}", Range="bytes=3-10", **{"If-Range": '"x"'})
    assert (changed.status_code, changed.content) == (200, data)


@pytest.mark.parametrize(
    "key",
    [
        "../v1/manifest",
        "..%2f..%2f..%2fcatalog.sqlite",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "data.zarr",
        "data.zarr/%2e%2e/manifest",
        "data.zarr//zarr.json",
        "MANIFEST",
        "manifest%00",
        "\\..\\manifest",
    ],
)
def test_no_path_leaves_the_folder(facility: Facility, key: str) -> None:
    # As it is sent, not as a polite client would make it.
    address = httpx.URL(f"{facility.server.url}/v1/datasets/{facility.pid}/objects/")
    raw = address.copy_with(raw_path=address.raw_path + key.encode())
    answer = httpx.get(raw, headers={"Authorization": f"Bearer {facility.tokens['member']}"})
    assert answer.status_code == 404


def test_a_link_in_the_folder_leads_nowhere_else(facility: Facility, tmp_path: Path) -> None:
    folder = Path(facility.location.removeprefix("file://"))
    key = next(
        str(p.relative_to(folder))
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "/c/" in str(p)
    )
    kept, secret = folder / key, tmp_path / "secret"
    secret.write_bytes(b"s" * kept.stat().st_size)
    aside = kept.rename(tmp_path / "aside")
    try:
        kept.symlink_to(secret)
        assert ask(facility, f"objects/{key}").status_code == 404
    finally:
        kept.unlink()
        aside.rename(kept)
    assert ask(facility, f"objects/{key}").status_code == 200


def test_another_datasets_objects_are_refused(facility: Facility) -> None:
    """Whoever may register can word a record; it must not lead to others' bytes."""
    catalog = SqlCatalog(facility.database)
    mine, theirs = catalog.get(facility.pid), catalog.get(facility.other)
    pid = Pid.generate("hsc.maxiv")
    for location, root in (
        (theirs.location, theirs.root),
        (f"{theirs.location}/../../{pid.ulid}/v1", theirs.root),
        (f"file:///{pid.ulid}/v1", mine.root),
        ("file:///etc", mine.root),
    ):
        trick = mine.model_copy(
            update={"pid": pid, "location": location, "root": root, "source_id": None}
        )
        catalog.register(trick, example_activity(), [])
        answer = httpx.post(
            f"{facility.server.url}/v1/datasets/{pid}/urls",
            json={"keys": [MANIFEST_KEY]},
            headers={"Authorization": f"Bearer {facility.tokens['member']}"},
        )
        assert answer.status_code == 409, answer.text
        pid = Pid.generate("hsc.maxiv")


def test_of_peoples_data_no_preview_leaves_the_store(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = Path(facility.location.removeprefix("file://"))
    key = next(str(p.relative_to(home)) for p in sorted((home / "preview").rglob("*.png")))
    urls = {"keys": [key, MANIFEST_KEY]}
    address = f"{facility.server.url}/v1/datasets/{facility.pid}/urls"
    token = {"Authorization": f"Bearer {facility.tokens['member']}"}
    assert ask(facility, f"objects/{key}").status_code == 200
    assert set(httpx.post(address, json=urls, headers=token).json()["urls"]) == set(urls["keys"])
    catalog = SqlCatalog(facility.database)
    human = AccessChange(access_class="human", reason="Faces can be seen.")
    catalog.change_access(facility.pid, human)
    try:
        assert ask(facility, f"objects/{key}").status_code == 404
        assert set(httpx.post(address, json=urls, headers=token).json()["urls"]) == {MANIFEST_KEY}
        assert ask(facility, f"objects/{MANIFEST_KEY}").status_code == 200
        facility.sign_in(monkeypatch, laptop, "member")
        assert np.array_equal(hsc.open(facility.pid)["a.h5/entry/data/frames"].values, TRUTH)
        request = jobs.FetchRequest(pid=facility.pid, folder=str(tmp_path / "copy"))
        assert jobs.fetch(request).objects
        assert not (tmp_path / "copy" / key).exists()
        assert not jobs.verify_folder((tmp_path / "copy").as_uri()).damaged
        assert not jobs.verify(jobs.VerifyRequest(pid=facility.pid)).damaged
    finally:
        again = AccessChange(access_class="open", reason="They gave consent.")
        catalog.change_access(facility.pid, again)


def test_a_store_that_is_not_served_is_not_delivered(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "HSC_HOME", facility.database.url.removeprefix("sqlite:///").rpartition("/")[0]
        )
        patch.setenv("HSC_STORE", (tmp_path / "elsewhere").as_uri())
        pid = take_in(tmp_path, "elsewhere", "20260123")
    facility.sign_in(monkeypatch, laptop, "member")
    with hsc.connect() as catalog, pytest.raises(LocationRefusedError, match="file://"):
        jobs.locate(catalog, pid)


def test_every_command_works_over_http(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    facility.sign_in(monkeypatch, laptop, "ingestor")
    pid = take_in(tmp_path, "third one", "20260123")
    again = subprocess.run(
        [sys.executable, "-m", "hsc.cli.main", "ingest", tmp_path / "third one", "--json"],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert json.loads(again.stdout)["datasets"][0]["pid"] == str(pid)
    # It lies in the store of one's own: no server is asked for its bytes.
    assert hsc.open(pid)["a.h5/entry/data/frames"].shape == FRAMES.shape
    with hsc.connect() as catalog:
        assert jobs.locate(catalog, pid).record.location.startswith("file://")
        assert {each.type for each in catalog.activities()} >= {"ingest"}
    facility.sign_in(monkeypatch, laptop, "member")
    for words in (
        ["show", str(pid), "--b3sum", "--json"],
        ["lineage", str(pid), "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "hsc.cli.main", *words],
            capture_output=True, text=True, timeout=100, check=True,
        )  # fmt: skip
        assert str(pid) in done.stdout
    assert hsc.search("third").datasets[0].pid == pid
    with jobs.open_catalog() as catalog:
        assert any(pid.at(1) in each.generated for each in catalog.activities())


def test_what_is_delivered_can_be_listed_and_sized(
    facility: Facility, laptop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facility.sign_in(monkeypatch, laptop, "member")
    with hsc.connect() as catalog:
        located = jobs.locate(catalog, facility.pid)
    objects = open_objects(located.record.location)
    direct = open_objects(facility.location)
    keys = objects.keys("data.zarr")
    assert keys
    assert set(keys) <= set(direct.keys("data.zarr"))
    assert objects.size(MANIFEST_KEY) == direct.size(MANIFEST_KEY)
    assert objects.size("no such") is None
    assert objects.get(MANIFEST_KEY, 2, 2) == b""
