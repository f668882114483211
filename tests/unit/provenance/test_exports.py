"""Histories go out as PROV and RO-Crate that libraries of others read, and as a picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest
from prov.model import ProvDocument
from rocrate.rocrate import ROCrate
from unit.provenance.histories import CURVE, RAW, RECORDS, THIRD, Shelf, lineage

from hsc.model import Edge, Lineage, Node
from hsc.provenance import History, draw_lineage, gather, prov_document, write_run_crate

CURVE_NODE = f"dataset:{CURVE}@1"


@pytest.fixture
def history() -> History:
    return gather(lineage(), Shelf(*RECORDS))


def read_prov(history: History) -> ProvDocument:
    return ProvDocument.deserialize(content=json.dumps(prov_document(history)))


def test_the_prov_library_reads_every_statement(history):
    told = read_prov(history)
    kinds = sorted(type(record).__name__ for record in told.get_records())
    edges = [edge.predicate for edge in history.lineage.edges]
    assert kinds.count("ProvUsage") == edges.count("used")
    assert kinds.count("ProvGeneration") == edges.count("was_generated_by")
    assert kinds.count("ProvDerivation") == edges.count("was_derived_from")
    assert kinds.count("ProvAssociation") == edges.count("was_associated_with")
    assert kinds.count("ProvActivity") == 4
    # What is read and written again says the same.
    again = ProvDocument.deserialize(content=told.serialize(format="json"))
    assert again == told


def test_prov_names_role_activity_and_plan(history):
    document = prov_document(history)
    used = [each for each in document["used"].values() if each.get("prov:role") == "buffer"]
    assert [each["prov:activity"] for each in used] == [f"activity:{THIRD.id}"]
    derived = [
        each
        for each in document["wasDerivedFrom"].values()
        if each["prov:generatedEntity"] == CURVE_NODE
    ]
    assert {each["prov:activity"] for each in derived} == {f"activity:{THIRD.id}"}
    assert {each["hsc:role"] for each in derived} == {"sample", "buffer"}
    assert document["entity"][CURVE_NODE]["hsc:root"].startswith("blake3:")


def test_a_hidden_node_says_nothing_but_that_it_is_not_visible(history):
    entity = prov_document(history)["entity"]["hidden:1"]
    assert entity == {"prov:label": "not visible to you"}
    crate = json.loads(write_run_crate(history)["ro-crate-metadata.json"])
    assert "hidden" not in json.dumps(crate)


def test_nodes_without_a_record_are_told_without_facts():
    bare = gather(lineage(), Shelf())
    assert not bare.datasets
    assert not bare.activities
    document = prov_document(bare)
    assert list(document["entity"][CURVE_NODE]) == ["prov:label"]
    assert write_run_crate(bare)


def crate_on_disk(history: History, folder) -> ROCrate:
    for name, content in write_run_crate(history).items():
        (folder / name).write_bytes(content)
    return ROCrate(folder)


def test_the_rocrate_library_reads_the_crate(history, tmp_path):
    crate = crate_on_disk(history, tmp_path)
    assert crate.mainEntity.id == "history.json"
    told = {profile.id for profile in crate.root_dataset["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/provenance/0.6" in told
    # Every name that an entity refers to is an entity of the crate.
    graph = json.loads((tmp_path / "ro-crate-metadata.json").read_text())["@graph"]
    known = {entity["@id"] for entity in graph} | {"https://w3id.org/ro/crate/1.3"}
    assert {name for entity in graph for name in references(entity)} <= known


def references(entity):
    for value in entity.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield each["@id"]


def test_the_crate_keeps_the_must_rules_of_the_profile(history, tmp_path):
    crate = crate_on_disk(history, tmp_path)
    workflow = crate.mainEntity
    tools = {tool.id for tool in workflow["hasPart"]}
    run, *steps = crate.root_dataset["mentions"]
    assert run["instrument"] == workflow
    assert run.type == "CreateAction"
    assert len(steps) == 4
    assert {step["instrument"].id for step in steps} == tools
    controls = [each for each in crate.contextual_entities if each.type == "ControlAction"]
    assert {each["object"].id for each in controls} == {step.id for step in steps}
    for how in workflow["step"]:
        assert how.type == "HowToStep"
        assert how["workExample"].id in tools
    (engine,) = [each for each in crate.contextual_entities if each.type == "OrganizeAction"]
    assert engine["result"] == run
    assert [each.id for each in engine["object"]] == [each.id for each in controls]
    (failed,) = [step for step in steps if step["actionStatus"].endswith("FailedActionStatus")]
    assert failed["error"] == "ParameterError: no wavelength"


def test_the_crate_holds_graph_and_records_as_they_are(history):
    told = json.loads(write_run_crate(history)["history.json"])
    assert Lineage(**told["lineage"]) == history.lineage
    assert told["datasets"][f"{RAW}@1"] == history.datasets[f"{RAW}@1"].document()


def test_a_file_name_that_is_no_unicode_leaves_the_crate_readable(history):
    named = {"files": ["m\udce4tning.h5"], "file": "m\udce4tning.h5"}
    activities = {
        name: each.model_copy(update={"parameters": named})
        for name, each in history.activities.items()
    }
    files = write_run_crate(replace(history, activities=activities))
    for data in files.values():
        assert "tning.h5" in str(json.loads(data.decode()))


def test_the_same_history_gives_the_same_bytes(history):
    again = gather(lineage(), Shelf(*RECORDS))
    assert write_run_crate(again) == write_run_crate(history)
    assert prov_document(again) == prov_document(history)
    assert draw_lineage(again.lineage) == draw_lineage(history.lineage)


SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 (it is ours)


def test_the_picture_is_xml_with_a_box_for_every_node_but_agents(history):
    picture = parsed(draw_lineage(history.lineage))
    boxes = [group.get("class", "").split()[0] for group in picture.iter(f"{SVG}g")]
    wanted = [node.kind for node in history.lineage.nodes if node.kind != "agent"]
    assert sorted(boxes) == sorted(wanted)
    assert len(list(picture.iter(f"{SVG}a"))) == 0


def test_time_runs_from_left_to_right(history):
    picture = parsed(draw_lineage(history.lineage))
    left = {}
    for group in picture.iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        left[group.findtext(f"{SVG}title", "").partition(": ")[0]] = int(box.get("x"))
    for edge in history.lineage.edges:
        if edge.object in left and edge.subject in left:
            assert left[edge.object] < left[edge.subject]


def test_text_of_others_stays_text_in_the_picture():
    evil = '"><script>alert(1)</script>\x00\x1b'
    node = Node(id=f"{RAW}@1", kind="dataset", title=evil)
    picture = draw_lineage(
        Lineage(nodes=(node,), edges=()),
        link=lambda node: f"/d/{node.title}",
        marks={node.id: evil},
    )
    assert "<script" not in picture
    root = parsed(picture)
    assert "alert(1)" in "".join(root.itertext())
    assert len(list(root.iter(f"{SVG}a"))) == 1


def test_a_circle_of_edges_is_drawn_all_the_same():
    one, two = f"{RAW}@1", f"{CURVE}@1"
    nodes = tuple(Node(id=each, kind="dataset", title=each) for each in (one, two))
    edges = (
        Edge(subject=one, predicate="was_derived_from", object=two),
        Edge(subject=two, predicate="was_derived_from", object=one),
        Edge(subject=one, predicate="was_derived_from", object=one),
    )
    picture = parsed(draw_lineage(Lineage(nodes=nodes, edges=edges)))
    assert len(list(picture.iter(f"{SVG}rect"))) == 2


def test_a_long_chain_needs_no_deep_stack():
    ids = [f"hsc.maxiv/{number:026d}@1" for number in range(3000)]
    nodes = tuple(Node(id=each, kind="dataset", title="") for each in reversed(ids))
    edges = tuple(
        Edge(subject=after, predicate="was_derived_from", object=before)
        for before, after in pairwise(ids)
    )
    assert draw_lineage(Lineage(nodes=nodes, edges=edges)).count("<rect") == 3000
