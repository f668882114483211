"""The application: all faces of the catalog in one ASGI program."""

from hsc_catalog.app.making import create_app
from hsc_catalog.faces.served import Limits, Served

__all__ = ["Limits", "Served", "create_app"]
