"""Records of HDF5 types as JSON, and the bytes that HDF5 makes them of again."""

from __future__ import annotations

from typing import Any

from h5py import h5t

_CLASSES = {
    h5t.INTEGER: "integer",
    h5t.FLOAT: "float",
    h5t.TIME: "time",
    h5t.STRING: "string",
    h5t.BITFIELD: "bitfield",
    h5t.OPAQUE: "opaque",
    h5t.COMPOUND: "compound",
    h5t.REFERENCE: "reference",
    h5t.ENUM: "enum",
    h5t.VLEN: "variable-length",
    h5t.ARRAY: "array",
}
# Complex numbers of HDF5's own came with HDF5 2.0; an older h5py does not know the class.
COMPLEX_CLASS = getattr(h5t, "COMPLEX", -2)
_ORDERS = {
    h5t.ORDER_LE: "little",
    h5t.ORDER_BE: "big",
    h5t.ORDER_VAX: "vax",
    h5t.ORDER_NONE: "none",
}
_PADS = {h5t.PAD_ZERO: "zero", h5t.PAD_ONE: "one", h5t.PAD_BACKGROUND: "background"}
_NORMS = {h5t.NORM_IMPLIED: "implied", h5t.NORM_MSBSET: "set", h5t.NORM_NONE: "none"}
_ENDS = {
    h5t.STR_NULLTERM: "null-terminated",
    h5t.STR_NULLPAD: "null-padded",
    h5t.STR_SPACEPAD: "space-padded",
}


def type_record(type_id: Any) -> dict[str, Any]:
    """Record a type in full.

    Returns
    -------
    record
        ``type``: the type and those that it is made of, as JSON; ``encoded``: the hexadecimal
        bytes of ``H5Tencode``, which ``H5Tdecode`` makes the type of again.
    """
    return {"type": describe_type(type_id), "encoded": type_id.encode().hex()}


def describe_type(type_id: Any) -> dict[str, Any]:
    """Describe a type, and those that it is made of, as JSON."""
    kind = type_id.get_class()
    named = "complex" if kind == COMPLEX_CLASS else _CLASSES.get(kind, "unknown")
    facts: dict[str, Any] = {"class": named, "bytes": type_id.get_size()}
    if kind == h5t.COMPOUND:
        return facts | {"fields": _fields(type_id)}
    if kind == h5t.ARRAY:
        base = describe_type(type_id.get_super())
        return facts | {"shape": list(map(int, type_id.get_array_dims())), "of": base}
    if kind in (h5t.VLEN, COMPLEX_CLASS):
        return facts | {"of": describe_type(type_id.get_super())}
    if kind == h5t.ENUM:
        return facts | {"of": describe_type(type_id.get_super()), "members": _members(type_id)}
    if kind == h5t.STRING:
        return facts | string_facts(type_id)
    if kind == h5t.OPAQUE:
        return facts | {"tag": word(type_id.get_tag())}
    if kind == h5t.REFERENCE:
        return facts | {"to": _target(type_id)}
    if kind in (h5t.INTEGER, h5t.FLOAT, h5t.BITFIELD):
        return facts | _bits(type_id, kind)
    return facts


def string_facts(type_id: Any) -> dict[str, Any]:
    """Give character set and, of fixed length, length and padding of a string type."""
    charset = "utf-8" if type_id.get_cset() == h5t.CSET_UTF8 else "ascii"
    if type_id.is_variable_str():
        return {"charset": charset}
    ends = _ENDS.get(type_id.get_strpad(), "null-padded")
    return {"charset": charset, "length": type_id.get_size(), "padding": ends}


def word(raw: bytes | str) -> str:
    r"""Word a name of a type as text; bytes that are no UTF-8 as ``\xNN``."""
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")
    return data.decode("utf-8", "backslashreplace")


def _fields(type_id: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": word(type_id.get_member_name(number)),
            "offset": int(type_id.get_member_offset(number)),
            "type": describe_type(type_id.get_member_type(number)),
        }
        for number in range(type_id.get_nmembers())
    ]


def _members(type_id: Any) -> list[list[Any]]:
    count = range(type_id.get_nmembers())
    return [[word(type_id.get_member_name(n)), int(type_id.get_member_value(n))] for n in count]


def _target(type_id: Any) -> str:
    if type_id.equal(h5t.STD_REF_OBJ):
        return "object"
    return "region" if type_id.equal(h5t.STD_REF_DSETREG) else "any"


def _bits(type_id: Any, kind: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"order": _ORDERS.get(type_id.get_order(), "none")}
    if kind == h5t.BITFIELD:  # h5py tells no more of it; the encoded bytes do
        return facts
    low, high = type_id.get_pad()
    facts |= {
        "precision": int(type_id.get_precision()),
        "offset": int(type_id.get_offset()),
        "padding": [_PADS.get(low, "zero"), _PADS.get(high, "zero")],
    }
    if kind == h5t.INTEGER:
        facts["signed"] = type_id.get_sign() != h5t.SGN_NONE
    if kind == h5t.FLOAT:
        names = ("sign_bit", "exponent_bit", "exponent_bits", "mantissa_bit", "mantissa_bits")
        facts |= dict(zip(names, map(int, type_id.get_fields()), strict=True))
        facts["exponent_bias"] = int(type_id.get_ebias())
        facts["norm"] = _NORMS.get(type_id.get_norm(), "none")
    return facts
