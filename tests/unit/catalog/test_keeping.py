"""What is posted is kept byte for byte; what replaces it has a revision, and it a history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from hsc.errors import ConflictError, RecordNotFoundError, RevisionError
from hsc.model import Amendment, Instrument, Query, Registration
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog, open_catalog, open_postgresql
from hsc_catalog.records import Once, Posted


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    """Give an empty catalog."""
    if request.param == "sqlite":
        opened = open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    else:
        opened = open_postgresql(str(request.getfixturevalue("database")))
    with opened:
        yield opened


def oddly_written(document: dict[str, object]) -> str:
    """Write a document as nobody else would: order, blanks, lines, escapes, a long number."""
    turned = dict(reversed(document.items()))
    text = json.dumps(turned, indent=3, ensure_ascii=False).replace("12.398", "12.3980000")
    return f" {text}\n".replace("å", "\\u00e5")


def test_what_is_posted_is_given_back_byte_for_byte(catalog: SqlCatalog) -> None:
    dataset = example_dataset(title='Ångström 🧪 \\ " \t')
    text = oddly_written(dataset.document())
    catalog.post([Posted(dataset, example_activity(), (), text)])
    assert catalog.version(dataset.pid).text == text
    assert catalog.get(dataset.pid) == dataset
    noun = Instrument(facility="maxiv", name="CoSAXS")
    written = oddly_written(noun.document())
    catalog.keep(noun, text=written)
    assert catalog.found("instrument", noun.key) == (noun, 1, written)


def test_an_amended_record_has_the_one_before_in_its_history(catalog: SqlCatalog) -> None:
    dataset = example_dataset()
    text = oddly_written(dataset.document())
    catalog.post([Posted(dataset, example_activity(), (), text)])
    assert catalog.history(dataset.pid) == []
    for sample in ("Salt", "Water"):
        catalog.amend(dataset.pid, Amendment(sample=sample, reason="It was."))
    first, second = catalog.history(dataset.pid)
    assert (first.revision, first.text) == (1, text)
    assert json.loads(second.text)["sample"] == "Salt"
    assert catalog.version(dataset.pid).revision == 3
    assert first.at <= second.at


def test_a_noun_is_changed_only_on_its_present_revision(catalog: SqlCatalog) -> None:
    noun = Instrument(facility="maxiv", name="CoSAXS")
    with pytest.raises(RecordNotFoundError):
        catalog.find("instrument", noun.key)
    catalog.keep(noun, revision=0)
    changed = noun.model_copy(update={"techniques": ()})
    with pytest.raises(RevisionError):
        catalog.keep(noun, text=" {} ", revision=0)
    catalog.keep(changed, text=oddly_written(changed.document()), revision=1)
    assert catalog.found("instrument", noun.key)[1] == 2
    assert [each.key for each in catalog.nouns("instrument")] == [noun.key]


def test_a_request_that_comes_again_gets_the_first_answer(catalog: SqlCatalog) -> None:
    dataset, other = example_dataset(), example_dataset()
    first = Once("key", "digest", "answer")
    assert catalog.post([Posted(dataset, example_activity())], first) == "answer"
    again = Once("key", "digest", "another answer")
    assert catalog.post([Posted(other, example_activity())], again) == "answer"
    with pytest.raises(ConflictError, match="another body"):
        catalog.post([Posted(other, example_activity())], Once("key", "other digest", "answer"))
    assert catalog.search(Query(limit=0)).total == 1


def test_a_request_that_failed_may_come_again(catalog: SqlCatalog) -> None:
    dataset = example_dataset()
    catalog.register(dataset, example_activity(), [])
    other = dataset.model_copy(update={"root": "blake3:ff"})
    once = Once("key", "digest", "answer")
    with pytest.raises(ConflictError, match="root"):
        catalog.post([Posted(other, example_activity())], once)
    assert catalog.post([Posted(example_dataset(), example_activity())], once) == "answer"
    assert catalog.search(Query(limit=0)).total == 2


def test_many_are_kept_or_none(catalog: SqlCatalog) -> None:
    kept = example_dataset()
    catalog.register(kept, example_activity(), [])
    wrong = kept.model_copy(update={"root": "blake3:ff"})
    items = [
        Registration(dataset=each, activity=example_activity(), edges=())
        for each in (example_dataset(), example_dataset(), wrong)
    ]
    with pytest.raises(ConflictError):
        catalog.register_many(items)
    assert catalog.search(Query(limit=0)).total == 1
    assert len(catalog.activities()) == 1
    catalog.register_many(items[:2])
    assert catalog.search(Query(limit=0)).total == 3


def test_versions_in_one_batch_leave_the_last_as_the_newest(catalog: SqlCatalog) -> None:
    one = example_dataset()
    catalog.register(one, example_activity(), [])
    later = [one.model_copy(update={"version": n, "root": f"blake3:{n}"}) for n in (4, 2, 3)]
    items = [
        Registration(
            dataset=each,
            activity=(activity := example_activity()),
            edges=tuple(generated(each, activity, [f"{one.pid}@1"])),
        )
        for each in later
    ]
    catalog.register_many(items)
    assert catalog.get(one.pid).version == 4
    assert catalog.search(Query()).total == 1
    assert catalog.facets().total == 1


def test_sqlite_finds_one_dataset_by_its_pid_without_walking_over_others(tmp_path: Path) -> None:
    said: list[tuple[str, Any]] = []
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        dataset = example_dataset()
        catalog.register(dataset, example_activity(), [])
        with catalog.database.reading() as connection:
            event.listen(
                connection.engine,
                "before_cursor_execute",
                lambda conn, cursor, statement, given, context, many: said.append(
                    (statement, given)
                ),
            )
        catalog.get(dataset.pid)
        with catalog.database.reading() as connection:
            plans = [
                str(step[3])
                for statement, given in [each for each in said if each[0].startswith("SELECT")]
                for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
    assert any("dataset USING INDEX sqlite_autoindex_dataset_1 (pid=" in step for step in plans)
    assert not any("newest=?" in step or step.startswith("SCAN dataset") for step in plans)
