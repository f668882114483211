"""A dataset's history in the forms of others: PROV, RO-Crate."""

from __future__ import annotations

import io
import zipfile
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hsc.model import Pid
from hsc.provenance import History, gather, prov_document, write_run_crate
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.answers import json_text, tagged
from hsc_catalog.faces.asking import AskServed, Reading
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1.asked import AskPid

router = APIRouter(prefix="/datasets/{prefix}/{id}", tags=["exports"], responses=responses(404))

Depth = Annotated[int, Query(ge=0, description="At most so many activities away.")]

_ZIP = "application/zip"
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the same history gives the same bytes


def _history(catalog: SqlCatalog, pid: Pid, depth: int) -> History:
    return gather(catalog.lineage(pid, up=True, down=False, depth=depth), catalog)


@router.get("/prov", response_model=dict[str, Any], summary="Its history as PROV-JSON")
def give_prov(
    request: Request, served: AskServed, catalog: Reading, pid: AskPid, depth: Depth = 6
) -> Response:
    """Word where it came from as PROV-JSON; what the caller may not see says nothing."""
    history = _history(catalog, pid, min(depth, served.limits.walk))
    return tagged(request, json_text(prov_document(history)))


@router.get(
    "/crate",
    response_class=Response,
    summary="Its history as RO-Crate",
    responses={200: {"content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}}}},
)
def give_crate(
    request: Request, served: AskServed, catalog: Reading, pid: AskPid, depth: Depth = 6
) -> Response:
    """Word where it came from as a Provenance Run Crate, zipped."""
    history = _history(catalog, pid, min(depth, served.limits.walk))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as crate:
        for name, data in sorted(write_run_crate(history).items()):
            crate.writestr(zipfile.ZipInfo(name, _NO_TIME), data, zipfile.ZIP_DEFLATED)
    name = f"{pid.prefix}-{pid.suffix}.crate.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return tagged(request, packed.getvalue(), media_type=_ZIP, headers=headers)
