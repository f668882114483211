"""One opened dataset: arrays by path or role, zarr, lazy xarray."""

from hsc.reading.opened import OpenedArray, OpenedDataset, open_dataset

__all__ = ["OpenedArray", "OpenedDataset", "open_dataset"]
