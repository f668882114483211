"""The accessor ``tree.hsc``: what hsc knows of a tree beyond its arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsc.errors import HscError, PathMissingError
from hsc.model import Dataset
from hsc.reading.card import cite, read_picture, show_html, show_text
from hsc.reading.carried import CarriedFile
from hsc.reading.elements import elements
from hsc.reading.h5 import H5Group, open_h5
from hsc.reading.lazy import lazy_array
from hsc.reading.origin import ORIGIN, Origin
from hsc.reading.paths import Reached
from hsc.reading.plots import DefaultPlot, find_default_plot
from hsc.reading.transformations import Transformation, read_transformations

if TYPE_CHECKING:
    import zarr


@xr.register_datatree_accessor("hsc")
class HscAccessor:
    """What hsc knows of a tree beyond its arrays: ``tree.hsc``.

    Paths are those of the HDF5 file: absolute, or from the node that the accessor is asked of;
    links in them are followed.

    Parameters
    ----------
    tree
        A tree that `hsc.open` gave, or a node of one.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        origin = tree.root.encoding.get(ORIGIN)
        if not isinstance(origin, Origin):
            # An AttributeError would come out as xarray's own, without these words.
            raise HscError(
                "this tree was not opened by hsc, or is a copy that forgot where it came from",
                next_step="use the tree that hsc.open(pid) gave",
            )
        self._tree, self._origin = tree, origin

    def __repr__(self) -> str:
        return show_text(self._origin.dataset)

    def _repr_html_(self) -> str:
        return show_html(self._origin.dataset)

    @property
    def record(self) -> Dataset:
        """The dataset as the catalog keeps it."""
        return self._origin.dataset.record

    @property
    def roles(self) -> Mapping[str, str]:
        """What arrays are for: role to path, as in ``frames``."""
        return self._origin.dataset.roles

    @property
    def files(self) -> Mapping[str, CarriedFile]:
        """What lay in the run's folder and is no array, by name: scripts, notes, geometry ..."""
        return self._origin.dataset.files

    @property
    def h5(self) -> H5Group:
        """The tree by HDF5 paths, read only, with names and values as h5py gives them."""
        return open_h5(self._origin.dataset, self._origin.fields.paths, self._origin.gaps)

    def role(self, name: str) -> da.Array:
        """Give the array that has a role, lazily, as it is stored."""
        return lazy_array(self._origin.dataset.role(name), gaps=self._origin.gaps)

    def __getitem__(self, path: str) -> xr.DataArray | xr.DataTree:
        """Give what an HDF5 path leads to: a variable, lazily, or a node.

        Raises
        ------
        PathMissingError
            Nothing is there, or a link on the way leads out of the dataset.
        """
        reached = self._origin.fields.paths.resolve(path, self._path)
        if self._origin.fields.has_group(reached.path):
            return self._node(reached.path)
        if not self._origin.fields.paths.is_array(reached.path):
            raise PathMissingError(f"at {reached.path} stands a named type", where=path)
        parent, name = self._bearer(path, reached)
        found = self._node(parent).to_dataset(inherit=False)[name]
        return found if reached.rows is None else found[slice(*reached.rows)]

    def numpy(self, path: str) -> NDArray[Any]:
        """Read all of an array, or of a compound or ragged dataset, into memory, checked.

        Parameters
        ----------
        path
            Its path; a scaled field comes scaled, as in the tree.
        """
        found = self[path]
        if isinstance(found, xr.DataTree):
            return self.elements(path)
        reached = self._origin.fields.paths.resolve(path, self._path)
        if "hsc_scaled" in found.attrs:
            return np.asarray(found.values)
        rows = reached.rows or (0, None)
        return self._origin.fields.array(reached.path).read(*rows, gaps=self._origin.gaps)

    def elements(self, path: str) -> NDArray[Any]:
        """Read a compound dataset as a structured array, a ragged one as an array of arrays.

        Raises
        ------
        RoleMissingError
            No HDF5 dataset stands there.
        """
        return elements(
            self._origin.dataset, self._origin.fields.paths.resolve(path, self._path).path
        )

    def names(self, path: str) -> NDArray[Any]:
        """Read the names of an enumeration's values, of the array's shape, as text.

        A value that has no name is given as its digits.

        Raises
        ------
        PathMissingError
            The array at the path is no enumeration.
        """
        reached = self._origin.fields.paths.resolve(path, self._path)
        facts = self._origin.fields.paths.attributes(reached.path).get("hsc:hdf5", {})
        if "enum" not in facts:
            raise PathMissingError("there is no enumeration", where=path)
        known = {value: name for name, value in facts["enum"].items()}
        values = self._origin.fields.array(reached.path).read()
        found = np.empty(values.shape, object)
        found.ravel()[:] = [known.get(int(value), str(value)) for value in values.ravel()]
        return found

    def default_plot(self) -> DefaultPlot | None:
        """Find what to plot first, by NeXus's rules; None when the file does not say."""
        return find_default_plot(self._origin.fields, self._origin.dataset.roles.get("frames"))

    def indexed(self, path: str = ".") -> xr.Dataset:
        """Give a group with its coordinates read, and indexes made of them for ``.sel``.

        Parameters
        ----------
        path
            The group; else that of the node itself.
        """
        node = self[path]
        if not isinstance(node, xr.DataTree):
            raise PathMissingError("there is an array, not a group", where=path)
        found = node.to_dataset(inherit=False)
        for name in [str(name) for name, each in found.coords.items() if each.dims == (name,)]:
            found = found.set_xindex(name)
        return found

    def transformations(self, path: str = ".") -> tuple[Transformation, ...]:
        """Follow a ``depends_on`` chain; `hsc.reading.combine` multiplies its steps.

        Parameters
        ----------
        path
            A component's group, as of a detector or sample, its ``depends_on``, or a step.

        Returns
        -------
        steps
            Each with a matrix (4, 4) for every value, in the order in which they act.
        """
        reached = self._origin.fields.paths.resolve(path, self._path)
        return read_transformations(self._origin.fields, reached.path)

    def zarr(self) -> zarr.Group:
        """Give the same tree as zarr opens it, every byte checked."""
        return self._origin.dataset.zarr()

    def xarray(self) -> xr.DataTree:
        """Give the tree with xarray's own look."""
        root = self._tree.root
        return xr.DataTree(root.to_dataset(inherit=False), children=root.children, name=root.name)

    def picture(self) -> bytes | None:
        """Read the preview of the frames as PNG; None when the ingest made none."""
        return read_picture(self._origin.dataset)

    def cite(self) -> str:
        """Say how to cite the dataset."""
        return cite(self.record)

    def _bearer(self, path: str, reached: Reached) -> tuple[str, str]:
        """Give group and name of the variable of a path: a link's own, which may be scaled there.

        NeXus links data into the NXdata group that says how they are scaled and plotted.
        """
        above, _, name = path.rstrip("/").rpartition("/")
        start = above or ("/" if path.startswith("/") else ".")
        group = self._origin.fields.paths.resolve(start, self._path).path
        if reached.rows is None and name in self._origin.fields.paths.links(group):
            return group, name
        parent, _, own = reached.path.rpartition("/")
        return parent or "/", own

    @property
    def _path(self) -> str:
        """True path of the node."""
        return self._origin.renamed.get(self._tree.path, self._tree.path)

    def _node(self, path: str) -> xr.DataTree:
        node = self._tree.root
        for name in self._origin.place(path).strip("/").split("/") if path != "/" else ():
            node = node.children[name]
        return node
