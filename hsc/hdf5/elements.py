"""Elements: what HDF5 gives for a part of a dataset or attribute, made into what a leaf holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import h5py
import numpy as np
from h5py import h5s, h5t
from numpy.typing import NDArray

from hsc.hdf5.any_references import addresses_of_any, reference_type, words_of_any
from hsc.hdf5.names import encode_name
from hsc.hdf5.parts import ARRAY, BYTES, FIELD, UNFOLDED, Part, Step
from hsc.hdf5.references import addresses_of, paths_of_addresses, words_of_references
from hsc.hdf5.texts import exact_text, surely_exact
from hsc.hdf5.types import Carry, ElementType

_OBJECTS = (Carry.TEXT, Carry.REGION)


def read_whole(source: Any, part: Part) -> NDArray[Any]:
    """Read all of a part's rows at once, offsets included."""
    shape = source.shape
    if not part.offsets:
        return read_block(source, part, (0,) * len(shape), shape)
    objects = read_objects(source, part, (0,) * len(shape), shape)
    lengths = unfold(objects, part.inner, lengths=True)
    return np.concatenate([[0], np.cumsum(counted(lengths))]).astype(np.int64)


def read_block(source: Any, part: Part, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
    """Read what a leaf holds of a region of the dataset: of ragged rows all that are in it."""
    if not part.ragged:
        return read_elements(source, part, start, stop)
    objects = read_objects(source, part, start, stop)
    return finished(source, part, unfold(objects, part.inner))


def read_targets(source: Any, part: Part, start: Sequence[int], stop: Sequence[int]) -> set[int]:
    """Give the addresses of the objects that references of a region of the dataset lead to."""
    if part.ragged:
        handles = unfold(read_objects(source, part, start, stop), part.inner)
        return set() if handles is None else addresses_of(source, handles)
    if part.element.carry is Carry.ANY:
        return addresses_of_any(source, _stored(source, part, start, stop))
    return addresses_of(source, _objects(source, part.steps, start, stop))


def check_texts(source: Any, part: Part, start: Sequence[int], stop: Sequence[int]) -> None:
    """Check that texts of a region of the dataset are exact.

    Raises
    ------
    ValueError
        One is not.
    OSError, RuntimeError
        HDF5 can't read them.
    """
    if part.element.carry is Carry.FIXED_TEXT and not part.ragged:
        raw = replace(part.element, carry=Carry.RAW)
        rows = read_elements(source, replace(part, element=raw), start, stop)
        if surely_exact(rows.reshape(-1, raw.nbytes), part.element.padding):
            return
    read_block(source, part, start, stop)


def read_texts_raw(source: Any, part: Part) -> list[bytes]:
    """Read all texts of a flat part as their bytes, those of fixed length with their padding."""
    start, stop = (0,) * len(source.shape), source.shape
    if part.element.carry is Carry.TEXT:
        return [_plain(each) or b"" for each in _objects(source, part.steps, start, stop).ravel()]
    raw = replace(part.element, carry=Carry.RAW)
    rows = read_elements(source, replace(part, element=raw), start, stop)
    return [row.tobytes() for row in rows.reshape(-1, raw.nbytes)]


def read_elements(
    source: Any, part: Part, start: Sequence[int], stop: Sequence[int]
) -> NDArray[Any]:
    """Read elements of a flat part, whole: all rows of the region with all their dimensions."""
    if part.element.carry in _OBJECTS:
        return finished(source, part, _objects(source, part.steps, start, stop))
    return finished(source, part, _stored(source, part, start, stop))


def _stored(source: Any, part: Part, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
    """Read the bytes of elements of a flat part."""
    memory = _memory_type(source.get_type(), part.steps, part.element)
    shape = tuple(b - a for a, b in zip(start, stop, strict=True))
    elements = np.empty(shape, f"V{memory.get_size()}")
    _read(source, memory, elements, start, stop)
    values = np.frombuffer(elements, f"V{part.element.nbytes}")
    return values.reshape((*shape, *part.dims))


def read_objects(
    source: Any, part: Part, start: Sequence[int], stop: Sequence[int]
) -> NDArray[Any]:
    """Read elements of variable length as a flat array of one object for each."""
    return _objects(source, part.outer, start, stop).ravel()


def _objects(
    source: Any, steps: Sequence[Step], start: Sequence[int], stop: Sequence[int]
) -> NDArray[Any]:
    """Read one Python object for each element at the end of flat steps."""
    memory = _memory_type(source.get_type(), steps, None)
    dims = [int(n) for step in steps if step[0] == ARRAY for n in step[1:]]
    objects = np.empty([*(b - a for a, b in zip(start, stop, strict=True)), *dims], object)
    _read(source, memory, objects, start, stop)
    return objects


def unfold(
    values: NDArray[Any] | None, steps: Sequence[Step], *, lengths: bool = False
) -> NDArray[Any] | None:
    """Follow steps into elements of variable length.

    Parameters
    ----------
    values
        One object for each element; None for no elements.
    steps
        From the first ``vlen`` or ``bytes`` on.
    lengths
        Whether to give the lengths of the elements at the last such step, not what is in them.

    Returns
    -------
    values
        All of them, one after the other; None when there are none.
    """
    last = max(number for number, step in enumerate(steps) if step[0] in UNFOLDED)
    for number, step in enumerate(steps):
        if values is None:
            return None
        if step[0] in UNFOLDED:
            items = [b"" if item is None else item for item in values.ravel()]
            if lengths and number == last:
                return np.array([len(_plain(item)) for item in items], np.int64)
            values = _joined(items, step[0] == BYTES)
        elif step[0] == FIELD:
            values = values[str(step[1])]
    return values


def _plain(item: Any) -> Any:
    return item.encode("utf-8", "surrogateescape") if isinstance(item, str) else item


def _joined(items: list[Any], texts: bool) -> NDArray[Any] | None:
    if texts:
        return np.frombuffer(b"".join(map(_plain, items)), np.uint8)
    arrays = [np.asarray(item) for item in items if len(item)]
    return np.concatenate(arrays) if arrays else None


def counted(lengths: NDArray[Any] | None) -> NDArray[np.int64]:
    """Give lengths of elements; none for no elements."""
    return np.zeros(0, np.int64) if lengths is None else lengths


def _memory_type(type_id: Any, steps: Sequence[Step], element: ElementType | None) -> Any:
    """Make the type that HDF5 reads one leaf as: of a compound only the one field."""
    if not steps:
        return _leaf_type(type_id, element)
    if steps[0][0] == FIELD:
        name = encode_name(str(steps[0][1]))
        member = type_id.get_member_type(type_id.get_member_index(name))
        inner = _memory_type(member, steps[1:], element)
        made = h5t.create(h5t.COMPOUND, inner.get_size())
        made.insert(name, 0, inner)
        return made
    dims = tuple(int(n) for n in steps[0][1:])
    return h5t.array_create(_memory_type(type_id.get_super(), steps[1:], element), dims)


def _leaf_type(type_id: Any, element: ElementType | None) -> Any:
    if element is None:  # one Python object for each element
        return h5t.py_create(np.dtype(h5py.string_dtype()), logical=False)
    if element.carry is Carry.WIDENED:
        return h5t.py_create(np.dtype(element.view))
    if element.carry is Carry.ANY:
        return reference_type()
    return type_id  # equal types: HDF5 converts nothing, and so can read all


def _read(
    source: Any, memory: Any, values: NDArray[Any], start: Sequence[int], stop: Sequence[int]
) -> None:
    if not values.size:
        return
    if isinstance(source, h5py.h5a.AttrID):
        _read_attribute(source, memory, values, start, stop)
        return
    space = source.get_space()
    if start:
        count = tuple(b - a for a, b in zip(start, stop, strict=True))
        space.select_hyperslab(tuple(start), count)
        source.read(h5s.create_simple(count), space, values, mtype=memory)
    else:
        source.read(h5s.create(h5s.SCALAR), space, values, mtype=memory)


def _read_attribute(
    source: Any, memory: Any, values: NDArray[Any], start: Sequence[int], stop: Sequence[int]
) -> None:
    """Read an attribute: HDF5 reads it whole or not at all."""
    outer = len(source.shape)
    whole = np.empty((*source.shape, *values.shape[outer:]), values.dtype)
    source.read(whole, mtype=memory)
    region: tuple[Any, ...] = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    values[...] = whole[(*region, ...)]


def finished(source: Any, part: Part, values: NDArray[Any] | None) -> NDArray[Any]:
    """Make of what HDF5 gave what the leaf holds."""
    element = part.element
    if values is None:
        return np.empty((0, *part.row_shape), element.view or object)
    if element.carry is Carry.FIXED_TEXT or element.carry is Carry.TEXT:
        return _texts(values, element)
    if element.carry is Carry.OBJECT and values.dtype != object:
        addresses = np.ascontiguousarray(values).view("=u8").reshape(values.shape)
        return paths_of_addresses(addresses, part.targets)
    if element.carry is Carry.ANY:
        return words_of_any(source, values, part.targets)
    if element.carry in (Carry.OBJECT, Carry.REGION):
        return words_of_references(source, values, part.targets)
    plain = np.ascontiguousarray(values)
    if element.carry is Carry.RAW:
        return plain.view(np.uint8).reshape((*values.shape, element.nbytes))
    return plain.view(element.view).reshape(values.shape)


def _texts(values: NDArray[Any], element: ElementType) -> NDArray[Any]:
    texts = np.empty(values.shape, object)
    for place, value in np.ndenumerate(values):
        text = exact_text(value, element.padding)
        if text is None:
            raise ValueError(f"a text that is no UTF-8, element {place}")
        texts[place] = text
    return texts
