"""A dataset in the forms of others: its metadata for DataCite, its history as PROV and RO-Crate."""

from __future__ import annotations

import io
import zipfile
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hsc.errors import RecordNotFoundError
from hsc.exporting import Citation, datacite_of_dataset
from hsc.model import Dataset, Facility, Instrument, NounKind, Pid, Proposal
from hsc.provenance import History, gather, prov_document, write_run_crate
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.answers import json_text, tagged
from hsc_catalog.faces.asking import AskServed, Reading
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1.asked import AskPid

N = TypeVar("N", Facility, Instrument, Proposal)
RelationType = Literal["IsDerivedFrom", "IsSourceOf"]

router = APIRouter(prefix="/datasets/{prefix}/{id}", tags=["exports"], responses=responses(404))

Depth = Annotated[int, Query(ge=0, description="At most so many activities away.")]

_ZIP = "application/zip"
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the same history gives the same bytes


def _history(catalog: SqlCatalog, pid: Pid, depth: int) -> History:
    return gather(catalog.lineage(pid, up=True, down=False, depth=depth), catalog)


@router.get("/datacite", response_model=dict[str, Any], summary="Its metadata for DataCite")
def give_datacite(request: Request, catalog: Reading, pid: AskPid) -> Response:
    """Word its record as the attributes of a DataCite DOI, of what the caller may see."""
    entry = catalog.entry(pid)
    record = entry.record
    named = f"{record.facility}/"
    citation = Citation(
        record,
        facility=_found(catalog, "facility", record.facility, Facility),
        instrument=_found(catalog, "instrument", named + (record.instrument or ""), Instrument),
        proposal=_found(catalog, "proposal", named + (record.proposal or ""), Proposal),
        access=entry.access,
        related=_related(catalog, record),
    )
    return tagged(request, json_text(datacite_of_dataset(citation)), entry.revision)


def _found(catalog: SqlCatalog, kind: NounKind, key: str, wanted: type[N]) -> N | None:
    try:
        found = catalog.find(kind, key)
    except RecordNotFoundError:
        return None
    return found if isinstance(found, wanted) else None


def _related(catalog: SqlCatalog, record: Dataset) -> dict[str, RelationType]:
    """Give the datasets that it came from and that came of it, as far as the caller sees them."""
    name = str(record.pid.at(record.version))
    walked = catalog.lineage(Pid.parse(name), up=True, down=True, depth=1)
    seen = {node.id for node in walked.nodes if node.kind == "dataset"}
    related: dict[str, RelationType] = {}
    for edge in walked.edges:
        if edge.predicate == "was_derived_from" and {edge.subject, edge.object} <= seen:
            if edge.subject == name:
                related[edge.object] = "IsDerivedFrom"
            elif edge.object == name:
                related[edge.subject] = "IsSourceOf"
    return related


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
