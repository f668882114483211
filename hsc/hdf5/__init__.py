"""HDF5 itself: walk, links, chunk index, safe opening; no facility is named here."""

from hsc.hdf5.chunks import ChunkIndex, chunk_index, filter_pipeline
from hsc.hdf5.columns import column_names
from hsc.hdf5.external import open_node
from hsc.hdf5.files import FileState, is_hdf5, open_hdf5
from hsc.hdf5.inside import inside
from hsc.hdf5.memory import addressed_rows, undefine_fill, write_memory
from hsc.hdf5.names import decode_text, encode_name, is_plain
from hsc.hdf5.parts import Part, source_of
from hsc.hdf5.regions import read_part
from hsc.hdf5.roots import Roots
from hsc.hdf5.tree import Problem, Read, SourceDataset, SourceGroup, SourceTree
from hsc.hdf5.types import Carry, ElementType, complex_view, element_type
from hsc.hdf5.user_links import make_user_link
from hsc.hdf5.walk import walk

__all__ = [
    "Carry",
    "ChunkIndex",
    "ElementType",
    "FileState",
    "Part",
    "Problem",
    "Read",
    "Roots",
    "SourceDataset",
    "SourceGroup",
    "SourceTree",
    "addressed_rows",
    "chunk_index",
    "column_names",
    "complex_view",
    "decode_text",
    "element_type",
    "encode_name",
    "filter_pipeline",
    "inside",
    "is_hdf5",
    "is_plain",
    "make_user_link",
    "open_hdf5",
    "open_node",
    "read_part",
    "source_of",
    "undefine_fill",
    "walk",
    "write_memory",
]
