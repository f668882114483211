"""The OpenAPI description of the application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from hsc_catalog.faces.posted import POSTED
from hsc_catalog.faces.problems import Problem

_REF = "#/components/schemas/{model}"
_LINK = {
    "type": "apiKey",
    "in": "header",
    "name": "HSC-Reviewer-Link",
    "description": "The secret of a reviewer link.",
}


def describe(app: FastAPI) -> None:
    """Let an application describe itself, the records that its routes read included."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _description(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it


def _description(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        separate_input_output_schemas=False,
        description="Errors are application/problem+json; tokens are sent as Bearer.",
    )
    wanted = [(model, "validation") for model in (*POSTED.values(), Problem)]
    _, read = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]
    parts = described.setdefault("components", {})
    parts["schemas"] = {**read.get("$defs", {}), **parts.get("schemas", {})}
    parts.setdefault("securitySchemes", {})["reviewer link"] = _LINK
    return described
