"""SciCat's face: ``/api/v3`` and ``/api/v4``, as scitacean and SciCat's frontend speak them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsc_catalog.faces.scicat.application import ScicatFace
    from hsc_catalog.faces.scicat.registering import Site

__all__ = ["ScicatFace", "Site"]


def __getattr__(name: str) -> Any:
    # `hsc scicat` needs no FastAPI.
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    place = "application" if name == "ScicatFace" else "registering"
    return getattr(import_module(f"hsc_catalog.faces.scicat.{place}"), name)
