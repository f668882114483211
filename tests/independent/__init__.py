"""An independent look at an ingest: h5py on one side, stock zarr on the other, none of hsc."""
