"""One opened dataset: its arrays by path or role, read through its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hsc.errors import RoleMissingError
from hsc.model import Dataset
from hsc.reading.array import OpenedArray
from hsc.reading.carried import CarriedFile, carried_files
from hsc.reading.fields import Fields
from hsc.reading.transformations import combine, read_transformations
from hsc.reading.versions import open_for_reading
from hsc.store import DATA, CheckedVersion

if TYPE_CHECKING:
    import numpy as np
    import zarr
    from numpy.typing import NDArray


class OpenedDataset:
    """A dataset that is being read; nothing is read before it is asked for.

    Parameters
    ----------
    record
        The dataset as the catalog keeps it.
    others
        Folders of further copies of it, for what is damaged or missing in the first.
    """

    def __init__(self, record: Dataset, others: Sequence[str] = ()) -> None:
        self.record = record
        self.others = tuple(others)

    @cached_property
    def version(self) -> CheckedVersion:
        """The version's objects, checked against its manifest.

        Raises
        ------
        ManifestError
            There is none, it is damaged, or it is not of this dataset.
        """
        return open_for_reading(self.record.location, self.others, self.record.root)

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """What arrays are for: role to path."""
        roles: Mapping[str, str] = self._root["attributes"].get("hsc:roles", {})
        return roles

    @cached_property
    def documents(self) -> Mapping[str, dict[str, Any]]:
        """Zarr metadata of every group and array, by true path, the root's under ``/``."""
        consolidated = self._root["consolidated_metadata"]["metadata"]
        true: dict[str, str] = {"": "/"}
        for key in sorted(consolidated):
            parent, _, stored = key.rpartition("/")
            name = consolidated[key]["attributes"].get("hsc:name", stored)
            true[key] = f"{true[parent].rstrip('/')}/{name}"
        documents = {true[key]: {**node, "key": key} for key, node in consolidated.items()}
        return {"/": {**self._root, "key": ""}, **documents}

    @cached_property
    def files(self) -> Mapping[str, CarriedFile]:
        """What lay in the run's folder and is no array, by name."""
        return carried_files(self.version)

    def array(self, path: str) -> OpenedArray:
        """Give an array by its path.

        Raises
        ------
        RoleMissingError
            There is no array at that path.
        """
        document = self.documents.get(path)
        if document is None or document["node_type"] != "array":
            raise RoleMissingError(
                f"there is no array at {path}",
                where=str(self.record.pid),
                next_step=f"`hsc show {self.record.pid}` lists the arrays",
            )
        return OpenedArray(self.record.location, path, document, self.version, self.others)

    def role(self, name: str) -> OpenedArray:
        """Give the array that has a role, as in ``frames``.

        Raises
        ------
        RoleMissingError
            The dataset has no array for it.
        """
        path = self.roles.get(name)
        if path is None:
            known = ", ".join(sorted(self.roles)) or "none"
            raise RoleMissingError(
                f"the dataset has no array for the role {name!r}; it has {known}",
                where=str(self.record.pid),
                next_step="use a dataset whose layout names that role, such as a DECTRIS run",
            )
        return self.array(path)

    def placement(self, path: str) -> NDArray[np.float64]:
        """Give where a chain of NeXus's ``depends_on`` puts what hangs on it.

        Parameters
        ----------
        path
            A group with a field ``depends_on``, that field, or a field of NXtransformations.

        Returns
        -------
        matrices
            Of shape (n, 4, 4), lengths in metres; n is 1 where nothing moves.

        Raises
        ------
        PathMissingError, HscError
            A step is missing, or can't be read as one.
        """
        return combine(read_transformations(Fields(self), path))

    def zarr(self) -> zarr.Group:
        """Open the tree with zarr, read only, every byte checked."""
        # zarr takes half a second to import.
        import zarr

        from hsc.store import CheckedStore

        return zarr.open_group(
            CheckedStore(self.record.location, self.version, self.others), mode="r"
        )

    @cached_property
    def _root(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.version.read(f"{DATA}/zarr.json") or b"{}")
        return document


def open_dataset(record: Dataset, others: Sequence[str] = ()) -> OpenedDataset:
    """Open a dataset from its record, and the folders of further copies of it."""
    return OpenedDataset(record, others)
