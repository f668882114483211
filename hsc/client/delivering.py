"""The seam of a catalog that delivers bytes too: one behind a server, over HTTP."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from hsc.model import Pid


@runtime_checkable
class Delivers(Protocol):
    """Gives a place from which a version can be read with nothing but the catalog's token."""

    def delivery(self, pid: Pid) -> str | None:
        """Give the URL of a version's folder as the server delivers it; None: it does not.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        ...

    def delivered_from(self, pid: Pid) -> str | None:
        """Give the location of the replica that is delivered; None: none is.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        ...
