"""Any link name becomes a key that S3, POSIX, Windows and macOS hold, and no two become one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hsc.store import store_names

# Any code point, lone surrogates and control characters among them; "/" ends a name in HDF5.
ANY_NAME = st.text(st.characters(blacklist_characters="/"), min_size=1, max_size=40)
NASTY = st.sampled_from(
    ["zarr.json", "Zarr.JSON", ".", "..", "...", "con", "CON", "Con.txt", "nul", "com1", "COM¹",
     "a ", "a.", "A", "a", "%", "%61", "a%", "\udce9", "\ud800", "\udced\udca0\udc80", "é",
     "e\u0301", "É", "ß", "ss", "x" * 300, "X" * 300, "å" * 150, "\n", "\0", "a\\b", "￾"]
)  # fmt: skip
WINDOWS_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


@given(st.sets(ANY_NAME | NASTY, max_size=30))
@example({"\ud800", "\udced\udca0\udc80"})
@example({"é", "e\u0301", "É"})
def test_each_name_gets_a_key_of_its_own_that_every_store_holds(names):
    keys = store_names(names)
    assert keys.keys() == names
    assert len({folded(key) for key in keys.values()}) == len(names)
    for key in keys.values():
        assert 0 < len(key.encode("utf-8")) <= 255
        assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*\ufffe\uffff]', key)
        assert key not in (".", "..")
        assert key.casefold() != "zarr.json"
        assert not WINDOWS_RESERVED.fullmatch(key)
        assert key[-1] not in ". "


@given(st.sets(ANY_NAME | NASTY, max_size=10), st.randoms())
def test_keys_do_not_hang_on_the_order_of_names(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert store_names(shuffled) == store_names(sorted(names))


@pytest.mark.parametrize("name", ["data", "data_000001", "x y", "å", "a-b_c.d", "[1]", "#3"])
def test_a_plain_name_stays_as_it_is(name):
    assert store_names([name]) == {name: name}
