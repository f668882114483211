"""SciCat's face: ``/api/v3`` and ``/api/v4``, as scitacean and SciCat's frontend speak them."""
