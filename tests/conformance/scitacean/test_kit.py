"""scitacean's client meets our server: it answers as the kit's own fake SciCat does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from scitacean import PID, AuthError, Client, Dataset, RemotePath, ScicatCommError, Thumbnail
from scitacean import model as scicat
from scitacean.testing.backend import seed
from scitacean.testing.backend.config import USERS
from scitacean.testing.client import FakeClient

NEVER_SAME = {"pid", "aid", "sampleId", "createdAt", "updatedAt", "createdBy", "updatedBy"}
MADE_BY_SERVER = {"datasetlifecycle", "version", "packedSize", "numberOfFilesArchived"}


def upload(**changes: Any) -> scicat.UploadDataset:
    fields: dict[str, Any] = {
        "datasetName": "Koelsche Lieder",
        "contactEmail": "black.foess@dom.koelle",
        "creationTime": datetime(1995, 11, 11, 11, 11, 11, tzinfo=UTC),
        "owner": "bfoess",
        "sourceFolder": RemotePath("/dom/platt"),
        "type": "derived",
        "ownerGroup": "group1",
        "accessGroups": ["koelle"],
        "inputDatasets": [],
    }
    return scicat.UploadDataset(**{**fields, **changes})


def said(model: Any) -> dict[str, Any]:
    """Give what a client posted of a record, as an answer repeats it."""
    told = model.model_dump(exclude_none=True)
    return {name: value for name, value in told.items() if name not in NEVER_SAME}


def test_a_wrong_password_opens_nothing(api: str) -> None:
    with pytest.raises(AuthError):
        Client.from_credentials(url=api, username="user1", password="wrong", allow_http=True)  # noqa: S106


def test_a_token_that_does_not_count_opens_nothing(api: str, seeded: Any) -> None:
    client = Client.from_token(url=api, token="no.such.token", allow_http=True)  # noqa: S106
    with pytest.raises(ScicatCommError, match="401"):
        client.scicat.get_dataset_model(seeded["raw"].pid)


@pytest.mark.parametrize("path", ["auth/login", "Users/login", "users/login", "auth/msad"])
def test_every_door_that_clients_knock_at_lets_them_in(api: str, path: str) -> None:
    answer = httpx.post(f"{api}/{path}", json=USERS["user1"].credentials)
    told = answer.json()
    assert answer.status_code == 201
    assert told["id"] == told["access_token"]
    assert told["expires_in"] > 0


def test_one_token_is_exchanged_for_another(api: str, clients: dict[str, Client]) -> None:
    signed_in = httpx.post(f"{api}/auth/login", json=USERS["user1"].credentials).json()["id"]
    answer = httpx.post(f"{api}/auth/oidc/token", json={"idToken": signed_in})
    client = Client.from_token(url=api, token=answer.json()["access_token"], allow_http=True)
    client.scicat.validate_dataset_model(upload())


@pytest.mark.parametrize("key", ["raw", "derived", "public", "query-raw1"])
def test_a_dataset_is_given_as_the_fake_gives_it(
    clients: dict[str, Client], fake: FakeClient, key: str, seeded: Any
) -> None:
    pid = seeded[key].pid
    ours = clients["user1"].scicat.get_dataset_model(
        pid, strict_validation=True, attachments=True, datablocks=True
    )
    theirs = fake.scicat.get_dataset_model(pid, attachments=True, datablocks=True)
    theirs.updatedAt = ours.updatedAt  # files were added since
    assert ours == theirs


def test_a_new_dataset_is_answered_as_the_fake_answers(
    clients: dict[str, Client], fake: FakeClient
) -> None:
    posted = upload(scientificMetadata={"n": 1, "t": {"value": 3.5, "unit": "K"}}, comment="x")
    ours = clients["user1"].scicat.create_dataset_model(posted)
    theirs = fake.scicat.create_dataset_model(posted)
    kept = {name: value for name, value in said(ours).items() if name in said(theirs)}
    assert kept == said(theirs)
    again = clients["user1"].scicat.get_dataset_model(PID.parse(str(ours.pid)))
    assert again == ours.model_copy(update={"pid": again.pid})


def test_relationships_are_told_in_both_spellings(api: str, clients: dict[str, Client]) -> None:
    related = scicat.UploadRelationship(pid=PID(prefix="a", pid="b"), relationship="is part of")
    made = clients["user1"].scicat.create_dataset_model(upload(relationships=[related]))
    raw = clients["user1"].scicat.call_endpoint(
        cmd="get", url=f"datasets/{made.pid}", operation="get", version="v4"
    )
    assert raw["relationships"][0] == {
        "pid": "a/b",
        "identifier": "a/b",
        "relationship": "is part of",
        "entityType": "dataset",
    }


def test_upload_and_download_go_round(clients: dict[str, Client], seeded: Any) -> None:
    model = seeded["raw"].model_copy(update={"origdatablocks": seed.INITIAL_ORIG_DATABLOCKS["raw"]})
    dataset = Dataset.from_download_model(model).as_new()
    finalized = clients["user1"].upload_new_dataset_now(dataset)
    downloaded = clients["user1"].get_dataset(finalized.pid, attachments=True)
    assert downloaded.number_of_files == dataset.number_of_files
    assert downloaded.size == dataset.size
    assert [file.remote_path for file in downloaded.files] == [
        file.remote_path for file in dataset.files
    ]
    assert downloaded.meta == dataset.meta


def test_what_is_not_there_and_what_may_not_be_seen_look_alike(
    clients: dict[str, Client], seeded: Any
) -> None:
    there = str(seeded["raw"].pid)
    told = []
    for pid in (there, there[:-1] + ("0" if there[-1] != "0" else "1")):
        with pytest.raises(ScicatCommError) as refused:
            clients["user2"].scicat.get_dataset_model(PID.parse(pid))
        told.append(str(refused.value).replace(pid, "PID"))
    assert told[0] == told[1]


def test_without_login_published_datasets_are_seen_and_no_others(api: str, seeded: Any) -> None:
    client = Client.without_login(url=api, allow_http=True)
    assert not client.get_dataset(seeded["public"].pid).files
    with pytest.raises(ScicatCommError):
        client.get_dataset(seeded["raw"].pid)
    listed = httpx.get(f"{api.replace('v3', 'v4')}/datasets/public").json()
    pids = {each["pid"] for each in listed}
    assert str(seeded["public"].pid) in pids
    assert all(each["isPublished"] for each in listed)
    with pytest.raises(ScicatCommError, match="403"):
        client.scicat.create_dataset_model(upload())


def test_nobody_posts_for_a_group_of_others(clients: dict[str, Client]) -> None:
    with pytest.raises(ScicatCommError, match="403"):
        clients["user1"].scicat.create_dataset_model(upload(ownerGroup="group2"))


def test_a_dataset_that_can_not_be_kept_is_not_valid(clients: dict[str, Client]) -> None:
    wrong = scicat.construct(
        scicat.UploadDataset, _strict_validation=False, _quiet=True, **upload().model_dump()
    )
    wrong.contactEmail = "NotAnEmail"
    with pytest.raises(ValueError, match="validation"):
        clients["user1"].scicat.validate_dataset_model(wrong)
    with pytest.raises(ScicatCommError, match="400"):
        clients["user1"].scicat.create_dataset_model(wrong)


QUERIES: list[tuple[dict[str, Any], set[str]]] = [
    ({"proposalIds": ["p0124"]}, {"raw1", "raw2", "raw3"}),
    ({"proposalIds": "p0124"}, {"raw1", "raw2", "raw3"}),
    ({"owner": "librarian"}, set()),
    ({"proposalIds": ["p0124"], "principalInvestigator": "investigator 1"}, {"raw1", "raw3"}),
    ({"principalInvestigator": "investigator 1"}, {"raw1", "raw3", "derived1", "derived2"}),
    ({"proposalIds": ["p0124"], "principalInvestigator": "investigator X"}, set()),
    ({"sourceFolder": RemotePath("/hex/raw4")}, {"raw4"}),
]


# A set's own text differs from process to process, and the tests run in two.
@pytest.mark.parametrize(("fields", "keys"), QUERIES, ids=lambda given: str(sorted(given)))
def test_a_query_finds_what_has_all_its_fields(
    clients: dict[str, Client], seeded: Any, fields: dict[str, Any], keys: set[str]
) -> None:
    found = clients["user1"].scicat.query_datasets(fields)
    assert {each.pid: each for each in found} == {
        seeded[f"query-{key}"].pid: seeded[f"query-{key}"] for key in keys
    }


@pytest.mark.parametrize(
    ("order", "limit", "keys"),
    [
        ("creationTime:desc", None, ["raw2", "raw1", "raw3"]),
        ("creationTime:asc", 2, ["raw3", "raw1"]),
        ("creationTime:desc", 2, ["raw2", "raw1"]),
    ],
)
def test_a_query_orders_and_cuts(
    clients: dict[str, Client], seeded: Any, order: str, limit: int | None, keys: list[str]
) -> None:
    found = clients["user1"].scicat.query_datasets(
        {"proposalIds": ["p0124"]}, order=order, limit=limit
    )
    assert [each.pid for each in found] == [seeded[f"query-{key}"].pid for key in keys]


def test_a_query_for_nothing_in_particular_finds_everything_visible(
    clients: dict[str, Client], seeded: Any
) -> None:
    found = clients["user1"].scicat.query_datasets({}, limit=1000, order="creationTime:asc")
    assert {str(each.pid) for each in seeded.values()} <= {str(each.pid) for each in found}
    others = clients["user2"].scicat.query_datasets({}, limit=1000, order="creationTime:asc")
    assert {str(each.pid) for each in others} & {
        str(each.pid) for each in seeded.values() if not each.isPublished
    } == set()


def test_attachments_need_a_dataset_that_is_there(clients: dict[str, Client], seeded: Any) -> None:
    def attachment(pid: PID, aid: str | None = None) -> scicat.UploadAttachment:
        return scicat.UploadAttachment(
            aid=aid,
            caption="A picture",
            thumbnail=Thumbnail(mime="image/png", data=b"9278c78a904jh"),
            ownerGroup="group1",
            relationships=[scicat.AttachmentRelationship(targetType="dataset", targetId=pid)],
        )

    send = clients["user1"].scicat.create_attachment
    made = send(attachment(seeded["query-raw4"].pid, "its-own-id"))
    assert (made.aid, made.thumbnail) == (
        "its-own-id",
        attachment(seeded["query-raw4"].pid).thumbnail,
    )
    with pytest.raises(ScicatCommError, match="409"):
        send(attachment(seeded["query-raw4"].pid, "its-own-id"))
    with pytest.raises(ScicatCommError, match="404"):
        send(attachment(PID(prefix="no", pid="such")))
    lonely = attachment(seeded["query-raw4"].pid).model_copy(update={"relationships": []})
    with pytest.raises(ScicatCommError, match="400"):
        send(lonely)


def test_samples_go_round_and_an_id_is_taken_once(
    clients: dict[str, Client], fake: FakeClient
) -> None:
    sample = scicat.UploadSample(
        ownerGroup="ingestor",
        accessGroups=["group1"],
        sampleName="Test sample",
        sampleCharacteristics={"layers": ["H2O", "EtOH"], "mass": 2},
    )
    ours = clients["ingestor"].scicat.create_sample_model(sample)
    assert said(ours).items() >= said(fake.scicat.create_sample_model(sample)).items()
    assert clients["user1"].scicat.get_sample_model(ours.sampleId) == ours
    with pytest.raises(ScicatCommError, match="409"):
        clients["ingestor"].scicat.create_sample_model(
            sample.model_copy(update={"sampleId": ours.sampleId, "description": "another"})
        )
    with pytest.raises(ScicatCommError):
        clients["user2"].scicat.get_sample_model(ours.sampleId)


def test_proposals_go_round_also_with_odd_ids(clients: dict[str, Client], fake: FakeClient) -> None:
    proposal = scicat.UploadProposal(
        proposalId="123 def/ä+1",
        email="a@b.se",
        ownerGroup="ingestor",
        title="A test proposal",
        accessGroups=["group1"],
    )
    ours = clients["ingestor"].scicat.create_proposal_model(proposal)
    assert said(ours).items() >= said(fake.scicat.create_proposal_model(proposal)).items()
    assert clients["user1"].scicat.get_proposal_model("123 def/ä+1") == ours
    with pytest.raises(ScicatCommError, match="403"):
        clients["user1"].scicat.create_proposal_model(
            proposal.model_copy(update={"proposalId": "another"})
        )


def test_an_instrument_that_is_not_there_is_an_error(clients: dict[str, Client]) -> None:
    with pytest.raises(ScicatCommError, match="404"):
        clients["user1"].scicat.get_instrument_model("no/such")
