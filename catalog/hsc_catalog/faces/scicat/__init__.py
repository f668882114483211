"""SciCat's face: ``/api/v3`` and ``/api/v4``, as scitacean and SciCat's frontend speak them."""

from hsc_catalog.faces.scicat.application import ScicatFace
from hsc_catalog.faces.scicat.registering import Site

__all__ = ["ScicatFace", "Site"]
