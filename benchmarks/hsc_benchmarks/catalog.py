"""Times what a catalog is asked and told, with many datasets in it, in process and over HTTP."""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from hsc.client import connect
from hsc.model import Dataset, Edge, Pid, Registration
from hsc_benchmarks.catalog_questions import WANTED_MS, Ask, Questions
from hsc_benchmarks.catalog_records import Records
from hsc_benchmarks.catalog_serving import ADMINISTRATOR, served

_BATCH = 2000  # datasets of one transaction
_LEVELS, _WIDE = 6, 41  # of the lineage: with an activity each about 500 nodes
_CREATED = 100

Say = Callable[[str], None]


def measure_catalog(
    *, datasets: int, database: str, rounds: int, folder: Path | None, say: Say
) -> dict[str, Any]:
    """Fill a catalog and time questions to it.

    Parameters
    ----------
    datasets
        How many to fill it with. A catalog in ``folder`` that has as many is used again.
    database
        ``sqlite``, or ``postgresql``: the one that HSC_CATALOG names, empty or filled before.
    rounds
        Each question is asked twenty times as often.
    folder
        Where the SQLite file stays; None: a temporary one.
    say
        Hears how far it is.
    """
    with tempfile.TemporaryDirectory(prefix="hsc-bench-") as made:
        where = folder or Path(made)
        url = f"sqlite:///{where}/catalog-{datasets}.sqlite" if database == "sqlite" else None
        with connect(url) as catalog:
            records = Records(datasets)
            facts = {"datasets": datasets, "database": database, **_fill(catalog, records, say)}
            origin = records.pid(datasets + 1)
            _tell_lineage(catalog, records)
            facts |= _create(catalog, records, where if url else None)
            questions = Questions(records, origin)
            rows = _time(questions.of_catalog(catalog), "in process", rounds, say)
            with served(url) as client:
                facts["created_over_http_per_second"] = _create_over_http(client, records)
                rows += _time(questions.of_server(client), "HTTP", rounds, say)
    return {"source": facts, "rounds": rounds, "table": rows}


def _fill(catalog: Any, records: Records, say: Say) -> dict[str, Any]:
    there = catalog.facets().total
    if there >= records.count:
        return {}
    for each in records.beamtimes:
        catalog.keep(each.proposal)
    spent = told = 0.0
    coming = records.registrations()
    while items := list(islice(coming, _BATCH)):
        begun = time.perf_counter()
        catalog.register_many(items)
        spent += time.perf_counter() - begun
        told += len(items)
        if told % 20_000 < _BATCH:
            say(f"{told:,.0f} of {records.count:,} taken in, {told / spent:,.0f} a second")
    return {"import_per_second": round(told / spent)}


def _tell_lineage(catalog: Any, records: Records) -> None:
    """Register a dataset of which others come, of which others come, six activities deep."""
    place, last = records.count + 1, list[Pid | None]([None])
    items: list[Registration] = []
    for level in range(_LEVELS + 1):
        fresh: list[Pid | None] = []
        for n in range(_WIDE if level else 1):
            made = records.registration(records.beamtimes[0], place, last[n % len(last)])
            items.append(made)
            fresh.append(made.dataset.pid)
            place += 1
        last = fresh
    catalog.register_many(items)


def _create(catalog: Any, records: Records, folder: Path | None) -> dict[str, Any]:
    """Time datasets that come one by one, and bare inserts of the same in SQLite."""
    begin, first = time.time_ns() // 1000, records.count + 10_000
    items = [
        _fresh(records.registration(records.beamtimes[1], first + n, None), begin + n)
        for n in range(_CREATED)
    ]
    begun = time.perf_counter()
    for each in items:
        catalog.register(each.dataset, each.activity, each.edges)
    facts = {"created_per_second": round(_CREATED / (time.perf_counter() - begun), 1)}
    if folder is not None:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            facts["bare_inserts_per_second"] = _insert_barely(Path(made) / "bare.sqlite", items)
        ratio = facts["created_per_second"] / facts["bare_inserts_per_second"]
        facts["created_times_bare"] = round(ratio, 2)
    return facts


def _create_over_http(client: httpx.Client, records: Records) -> float:
    """Give how many datasets per second are kept that are posted one by one."""
    begin, first = time.time_ns() // 1000, records.count + 20_000
    items = [
        _fresh(records.registration(records.beamtimes[1], first + n, None), begin + n)
        for n in range(_CREATED)
    ]
    bearer = {"Authorization": f"Bearer {ADMINISTRATOR}"}
    begun = time.perf_counter()
    for each in items:
        client.post("/v1/datasets", json=each.document(), headers=bearer).raise_for_status()
    return round(_CREATED / (time.perf_counter() - begun), 1)


def _fresh(made: Registration, number: int) -> Registration:
    """Give the same under a PID and an id that no run before has used."""
    pid = Pid(made.dataset.pid.prefix, f"{number:026}")
    names = {str(made.dataset.pid.at(1)): str(pid.at(1))}
    names[f"activity:{made.activity.id}"] = f"activity:{number:026}"
    edges = [
        Edge(
            subject=names.get(edge.subject, edge.subject), predicate=edge.predicate,
            object=names.get(edge.object, edge.object), role=edge.role,
        )
        for edge in made.edges
    ]  # fmt: skip
    later = made.dataset.created + timedelta(days=1)
    dataset = made.dataset.model_copy(update={"pid": pid, "created": later})
    generated = {"id": f"{number:026}", "generated": (pid.at(1),)}
    activity = made.activity.model_copy(update=generated)
    return Registration(dataset=dataset, activity=activity, edges=tuple(edges))


def _insert_barely(path: Path, items: list[Registration]) -> float:
    """Give how many of the same per second plain SQLite keeps, each in a transaction that lasts."""
    with closing(sqlite3.connect(path, isolation_level=None)) as bare:
        for statement in (
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
            "CREATE TABLE dataset (pid TEXT PRIMARY KEY, title TEXT, created INTEGER, json TEXT)",
            "CREATE TABLE activity (id TEXT PRIMARY KEY, json TEXT)",
            "CREATE TABLE edge (subject TEXT, predicate TEXT, object TEXT)",
            "CREATE INDEX edge_subject ON edge (subject)",
            "CREATE INDEX edge_object ON edge (object)",
            "CREATE TABLE quantity (pid TEXT, name TEXT, value REAL)",
            "CREATE INDEX quantity_value ON quantity (name, value)",
        ):  # fmt: skip
            bare.execute(statement)
        begun = time.perf_counter()
        for each in items:
            _insert_one(bare, each.dataset, each)
        return round(len(items) / (time.perf_counter() - begun), 1)


def _insert_one(bare: sqlite3.Connection, dataset: Dataset, item: Registration) -> None:
    pid, activity = str(dataset.pid), item.activity
    bare.execute("BEGIN IMMEDIATE")
    row = (pid, dataset.title, dataset.created.timestamp(), json.dumps(dataset.document()))
    bare.execute("INSERT INTO dataset VALUES (?, ?, ?, ?)", row)
    document = json.dumps(activity.document())
    bare.execute("INSERT INTO activity VALUES (?, ?)", (activity.id, document))
    edges = [(edge.subject, edge.predicate, edge.object) for edge in item.edges]
    bare.executemany("INSERT INTO edge VALUES (?, ?, ?)", edges)
    numbers = [(pid, name, each.value) for name, each in dataset.quantities.items()]
    bare.executemany("INSERT INTO quantity VALUES (?, ?, ?)", numbers)
    bare.execute("COMMIT")


def _time(asked: dict[str, Ask], way: str, rounds: int, say: Say) -> list[dict[str, Any]]:
    rows = []
    for name, ask in asked.items():
        ask()
        times, used = [], []
        for _ in range(rounds * 20):
            begun, cpu = time.perf_counter(), time.process_time()
            ask()
            times.append((time.perf_counter() - begun) * 1000)
            used.append((time.process_time() - cpu) * 1000)
        cuts = statistics.quantiles(times, n=20, method="inclusive")
        row = {
            "what": name,
            "way": way,
            "p50_ms": round(cuts[9], 1),
            "p95_ms": round(cuts[18], 1),
            "processor_ms": round(statistics.median(used), 1),
            "wanted_p95_ms": WANTED_MS[name],
        }
        rows.append(row)
        say(f"{name}, {way}: {row['p50_ms']} ms, 95 of 100 in {row['p95_ms']} ms")
    return rows
