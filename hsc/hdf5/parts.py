"""Parts: which of a dataset's elements, or which piece of each, a leaf of the tree holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hsc.hdf5.names import encode_name
from hsc.hdf5.types import ElementType

Step = tuple[str | int, ...]
FIELD, ARRAY, VLEN, BYTES = "field", "array", "vlen", "bytes"
UNFOLDED = (VLEN, BYTES)


@dataclass(frozen=True, slots=True)
class RaggedTable:
    """Where the rows of a leaf of variable-length elements come from, in a few thousand blocks."""

    rows: tuple[int, ...]
    """Bounds of the blocks along the dataset's first dimension."""
    before: tuple[int, ...]
    """Rows of the leaf before each bound."""
    values_before: tuple[int, ...] = ()
    """Of a leaf of offsets: values before each bound."""


@dataclass(frozen=True, slots=True)
class Part:
    """The way from a dataset's elements to those of one leaf; small, and fit for a pickle."""

    element: ElementType
    """The type at the end of the way."""
    steps: tuple[Step, ...] = ()
    """Steps into the dataset's type, outermost first: ``("field", name)``, ``("array", n, ...)``,
    ``("vlen",)`` into variable-length elements, ``("bytes",)`` into the bytes of a text."""
    dims: tuple[int, ...] = ()
    """Dimensions that array types on the way add to each row."""
    offsets: bool = False
    """Whether the leaf holds the offsets of the last ``vlen`` step and not its values."""
    table: RaggedTable | None = None
    """Where rows come from, when a step is ``vlen`` or ``bytes``; None: all is read at once."""
    targets: Mapping[int, str] = field(default_factory=dict)
    """Path of each object that references lead to, by its address in the file."""
    attribute: str = ""
    """Name of the attribute that holds the elements; empty for a dataset's own."""

    @property
    def ragged(self) -> bool:
        """Whether rows are those inside elements of variable length."""
        return any(step[0] in UNFOLDED for step in self.steps)

    @property
    def outer(self) -> tuple[Step, ...]:
        """Steps before the first into variable length."""
        return self._cut()[0]

    @property
    def inner(self) -> tuple[Step, ...]:
        """Steps from the first into variable length on."""
        return self._cut()[1]

    def _cut(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        numbers = (n for n, step in enumerate(self.steps) if step[0] in UNFOLDED)
        at = next(numbers, len(self.steps))
        return self.steps[:at], self.steps[at:]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Dimensions of a row of the leaf beyond the dataset's, or beyond the first when ragged."""
        return () if self.offsets else (*self.dims, *self.element.tail)


def source_of(node: Any, part: Part) -> Any:
    """Give what holds a part's elements: the dataset's or attribute's low-level identifier."""
    return node.attrs.get_id(encode_name(part.attribute)) if part.attribute else node.id
