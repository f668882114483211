"""What this is, whether it works, and who asks."""

from __future__ import annotations

from importlib import metadata

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text
from starlette.responses import Response

from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import AskCaller, AskServed

router = APIRouter(tags=["about"])


class About(BaseModel):
    """What answers here."""

    name: str
    """``hsc``."""
    version: str
    """Release of hanseatic-science-cloud."""
    openapi: str
    """Path of the description of all routes."""


class Health(BaseModel):
    """Whether the catalog can be used."""

    status: str
    """``ok``."""


class Me(BaseModel):
    """Who asks, as the catalog knows them now."""

    subject: str | None
    """The account; null: nobody signed in."""
    groups: list[str]
    """Groups they are in."""
    roles: list[str]
    """``administrator``, ``ingestor``."""
    staff_of: list[str]
    """Instruments they are staff of."""
    leads: list[str]
    """Proposals that they are principal investigator of."""
    scopes: list[str]
    """What their token is good for."""
    datasets: list[str]
    """Datasets that a reviewer link opens."""


@router.get("", response_model=About, summary="What answers here")
def tell_about() -> Response:
    """Tell which release answers, and where its routes are described."""
    release = metadata.version("hanseatic-science-cloud")
    return answer({"name": "hsc", "version": release, "openapi": "/v1/openapi.json"})


@router.get("/health", response_model=Health, summary="Whether the catalog can be used")
def tell_health(served: AskServed) -> Response:
    """Read from the database; 503 when that can't be done."""
    with served.database.reading() as connection:
        connection.execute(text("SELECT 1"))
    return answer({"status": "ok"})


@router.get("/me", response_model=Me, summary="Who asks")
def tell_caller(caller: AskCaller) -> Response:
    """Tell whom the catalog takes the caller for, and what they may do."""
    listed = ("groups", "roles", "staff_of", "leads", "scopes")
    return answer(
        {
            "subject": caller.subject,
            **{name: sorted(getattr(caller, name)) for name in listed},
            "datasets": sorted(map(str, caller.datasets)),
        }
    )
