"""Searching datasets, and counting what a search finds by its facets."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hsc.model import FacetCounts, SearchResult
from hsc_catalog.faces.answers import json_text, tagged
from hsc_catalog.faces.asking import Reading
from hsc_catalog.faces.v1.asked import AskQuery

router = APIRouter(tags=["search"])


@router.get("/datasets", response_model=SearchResult, summary="Search datasets")
def search(request: Request, catalog: Reading, query: AskQuery) -> Response:
    """Find the newest version of each dataset that matches, newest first.

    ``next`` is the cursor of those that follow. More than 1000 at once are not given.
    """
    return tagged(request, json_text(catalog.search(query).document()))


@router.get("/facets", response_model=FacetCounts, summary="Count what a search finds")
def count_facets(request: Request, catalog: Reading, query: AskQuery) -> Response:
    """Count the datasets that a search would find by facility, technique and so on."""
    return tagged(request, json_text(catalog.facets(query).document()))
