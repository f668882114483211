"""Routes that read datasets, of ``/api/v3`` and ``/api/v4`` alike, and their public twins."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from hsc.errors import DatasetNotFoundError
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.scicat.asked_by import Ask, Asker
from hsc_catalog.faces.scicat.asking import (
    Asked,
    read_filter,
    read_full_query,
    read_include,
    read_json,
)
from hsc_catalog.faces.scicat.attaching import attachments_of, blocks_of
from hsc_catalog.faces.scicat.facets import full_facet, metadata_keys

Text = Annotated[str | None, Query()]

router = APIRouter()


def _asked(filter: str | None, fields: str | None, limits: str | None) -> Asked:
    return read_filter(filter) if filter else read_full_query(fields, limits)


def _list(ask: Asker, asked: Asked, *, public: bool) -> Response:
    with ask.finding(public=public) as finding:
        found = finding.find(asked)
        return answer(ask.told(finding, found.page, asked))


def _facets(ask: Asker, asked: Asked, facets: str | None, *, public: bool) -> Response:
    names = read_json(facets or "[]", "facets")
    names = names if isinstance(names, list) else []
    with ask.finding(public=public) as finding:
        counts, total = finding.counts(asked, [str(name) for name in names])
    return answer(full_facet(counts, total))


def _one(ask: Asker, pid: str, asked: Asked, *, public: bool) -> Response:
    with ask.finding(public=public) as finding:
        standing = finding.standing(pid)
        told = ask.told(finding, (standing,), asked)[0]
    modified = standing.updated.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return answer(told, headers={"Last-Modified": modified})


def _first(ask: Asker, asked: Asked, *, public: bool) -> Response:
    with ask.finding(public=public) as finding:
        found = finding.find(replace(asked, limit=1))
        told = ask.told(finding, found.page, asked)
    return answer(told[0]) if told else Response(status_code=200)


@router.get("/datasets")
def list_datasets(ask: Ask, filter: Text = None) -> Response:
    """List datasets that a filter means."""
    return _list(ask, read_filter(filter), public=False)


@router.get("/datasets/public")
def list_public(ask: Ask, filter: Text = None) -> Response:
    """List published datasets that a filter means."""
    return _list(ask, read_filter(filter), public=True)


@router.get("/datasets/fullquery")
def full_query(ask: Ask, fields: Text = None, limits: Text = None, filter: Text = None) -> Response:
    """List datasets by fields, text and scientific conditions."""
    return _list(ask, _asked(filter, fields, limits), public=False)


@router.get("/datasets/public/fullquery")
def full_query_public(
    ask: Ask, fields: Text = None, limits: Text = None, filter: Text = None
) -> Response:
    """List published datasets by fields, text and scientific conditions."""
    return _list(ask, _asked(filter, fields, limits), public=True)


@router.get("/datasets/fullfacet")
def count_facets(
    ask: Ask, fields: Text = None, facets: Text = None, filter: Text = None
) -> Response:
    """Count datasets by the values of fields."""
    return _facets(ask, _asked(filter, fields, None), facets, public=False)


@router.get("/datasets/public/fullfacet")
def count_facets_public(
    ask: Ask, fields: Text = None, facets: Text = None, filter: Text = None
) -> Response:
    """Count published datasets by the values of fields."""
    return _facets(ask, _asked(filter, fields, None), facets, public=True)


@router.get("/datasets/count")
def count(ask: Ask, filter: Text = None, fields: Text = None) -> Response:
    """Count datasets that a filter means."""
    with ask.finding() as finding:
        return answer({"count": finding.count(_asked(filter, fields, None))})


@router.get("/datasets/public/count")
def count_public(ask: Ask, filter: Text = None, fields: Text = None) -> Response:
    """Count published datasets that a filter means."""
    with ask.finding(public=True) as finding:
        return answer({"count": finding.count(_asked(filter, fields, None))})


@router.get("/datasets/metadataKeys")
def list_metadata_keys(ask: Ask, fields: Text = None, metadataKey: Text = None) -> Response:  # noqa: N803 - its name there
    """List names in scientific metadata."""
    return _keys(ask, fields, metadataKey, public=False)


@router.get("/datasets/public/metadataKeys")
def list_metadata_keys_public(ask: Ask, fields: Text = None, metadataKey: Text = None) -> Response:  # noqa: N803
    """List names in scientific metadata of published datasets."""
    return _keys(ask, fields, metadataKey, public=True)


def _keys(ask: Asker, fields: str | None, key: str | None, *, public: bool) -> Response:
    asked: Any = read_json(fields, "fields")
    named = str(asked.get("metadataKey") or "") if isinstance(asked, dict) else ""
    with ask.finding(public=public) as finding:
        records = finding.every(read_full_query(fields, None))
    return answer(metadata_keys(records, key or named))


@router.get("/datasets/findOne")
def find_one(ask: Ask, filter: Text = None) -> Response:
    """Give the first dataset that a filter means; an empty answer without one."""
    return _first(ask, read_filter(filter), public=False)


@router.get("/datasets/public/findOne")
def find_one_public(ask: Ask, filter: Text = None) -> Response:
    """Give the first published dataset that a filter means; an empty answer without one."""
    return _first(ask, read_filter(filter), public=True)


@router.get("/datasets/public/{pid:path}")
def get_public(
    ask: Ask, pid: str, include: Annotated[list[str] | None, Query()] = None, filter: Text = None
) -> Response:
    """Give a published dataset; its files are listed by ``/origdatablocks/public``."""
    asked = _including(filter, include)
    shown = tuple(name for name in asked.include if name != "origdatablocks")
    return _one(ask, pid, replace(asked, include=shown), public=True)


@router.get("/datasets/{pid:path}")
def get_dataset(
    ask: Ask, pid: str, include: Annotated[list[str] | None, Query()] = None, filter: Text = None
) -> Response:
    """Give a dataset, its files, its pictures or its life cycle."""
    owner, _, part = pid.rpartition("/")
    if part == "datasetlifecycle":
        with ask.finding() as finding:
            told = ask.told(finding, (finding.standing(owner),), Asked())[0]
        return answer(told["datasetlifecycle"])
    if part in ("origdatablocks", "attachments"):
        with ask.finding() as finding:
            standing = finding.standing(owner)
            listed = blocks_of if part == "origdatablocks" else attachments_of
            return answer(listed(finding.connection, (standing,))[str(standing.record.pid)])
    return _one(ask, pid, _including(filter, include), public=False)


@router.get("/origdatablocks")
def list_blocks(ask: Ask, filter: Text = None) -> Response:
    """List the lists of files of one dataset: ``{"where": {"datasetId": PID}}``."""
    return _blocks(ask, filter, public=False)


@router.get("/origdatablocks/public")
def list_blocks_public(ask: Ask, filter: Text = None) -> Response:
    """List the lists of files of one published dataset."""
    return _blocks(ask, filter, public=True)


def _blocks(ask: Asker, filter: str | None, *, public: bool) -> Response:
    asked = read_json(filter, "filter")
    where = asked.get("where") if isinstance(asked, dict) else None
    pid = where.get("datasetId") if isinstance(where, dict) else None
    if not isinstance(pid, str):
        raise DatasetNotFoundError("name the dataset: filter={'where': {'datasetId': PID}}")
    with ask.finding(public=public) as finding:
        standing = finding.standing(pid)
        return answer(blocks_of(finding.connection, (standing,))[str(standing.record.pid)])


def _including(filter: str | None, include: list[str] | None) -> Asked:
    asked = read_filter(filter)
    return replace(asked, include=(*asked.include, *read_include(include)))
