"""All routes of ``/v1``, and what holds for each of them."""

from __future__ import annotations

from fastapi import APIRouter

from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1 import (
    about,
    activities,
    datasets,
    documents,
    importing,
    links,
    nouns,
    objects,
    registering,
    searching,
    sharing,
    tokens,
)

router = APIRouter(
    responses=responses(401, 403, 422, 429, 500, 503),
)
# Searching stands before single datasets: their paths begin alike.
for part in (
    about,
    searching,
    registering,
    importing,
    datasets,
    documents,
    objects,
    sharing,
    links,
    activities,
    nouns,
    tokens,
):
    router.include_router(part.router, prefix="/v1")
