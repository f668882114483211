"""The OpenAPI description of the application."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from hsc_catalog.faces import v1
from hsc_catalog.faces.posted import POSTED
from hsc_catalog.faces.problems import Problem

TITLE = "Hanseatic Science Cloud catalog"

_REF = "#/components/schemas/{model}"
_LINK = {
    "type": "apiKey",
    "in": "header",
    "name": "HSC-Reviewer-Link",
    "description": "The secret of a reviewer link.",
}


@cache
def description() -> dict[str, Any]:
    """Give the OpenAPI description, the records that routes read included; made once."""
    described = get_openapi(
        title=TITLE,
        version="1",
        routes=v1.router.routes,
        separate_input_output_schemas=False,
        description="Errors are application/problem+json; tokens are sent as Bearer.",
    )
    wanted = [(model, "validation") for model in (*POSTED.values(), Problem)]
    _, read = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]
    parts = described.setdefault("components", {})
    parts["schemas"] = {**read.get("$defs", {}), **parts.get("schemas", {})}
    parts.setdefault("securitySchemes", {})["reviewer link"] = _LINK
    return described
