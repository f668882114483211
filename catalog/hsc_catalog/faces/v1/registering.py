"""Registering datasets: one, many at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from hsc.model import Dataset, Registration
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import Ingesting
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses

router = APIRouter(tags=["datasets"])


@router.post(
    "/datasets",
    status_code=201,
    response_model=Dataset,
    summary="Register a dataset",
    responses=responses(409, 413),
    openapi_extra=brings(Registration),
)
def register(
    catalog: Ingesting, told: Annotated[Registration, Depends(posted(Registration))]
) -> Response:
    """Keep a dataset, the activity that made it and their edges, all or nothing.

    The same version with the same root again changes nothing.
    """
    catalog.register(told.dataset, told.activity, told.edges)
    pid = told.dataset.pid.at(told.dataset.version)
    return answer({"pid": str(pid)}, 201, {"Location": f"/v1/datasets/{pid}"})
