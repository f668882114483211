"""``/v1``, the catalog's own face: a router for each noun."""

from hsc_catalog.faces.v1.routes import router

__all__ = ["router"]
