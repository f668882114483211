"""Store keys of a run's tree: what each group and array is called in the store."""

from __future__ import annotations

from hsc.hdf5 import encode_name, is_plain
from hsc.layouts import Run
from hsc.model import plain_text
from hsc.store import store_names


def run_keys(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """Give the store key of each path, and the true last name of those that were escaped.

    Parameters
    ----------
    run
        The run, whose groups and arrays stand under their true HDF5 paths.

    Returns
    -------
    keys
        True path to store key; the root's is empty.
    names
        True path to true last name, where a store can't hold that.
    """
    children: dict[str, list[str]] = {group.path: [] for group in run.groups}
    for path in [group.path for group in run.groups if group.path != "/"] + [
        array.path for array in run.arrays
    ]:
        parent, name = _split(path)
        children[parent].append(name)
    keys, names = {"/": ""}, {}
    for parent in sorted(children):
        for name, stored in store_names(children[parent]).items():
            path = f"{parent.rstrip('/')}/{name}"
            keys[path] = f"{keys[parent]}/{stored}".lstrip("/")
            if stored != name:
                names[path] = name
    return keys, names


def told_name(name: str) -> dict[str, str]:
    """Give the attributes that tell a true name: its words, and its bytes when it is no UTF-8."""
    exact = {} if is_plain(name) else {"hsc:name_hex": encode_name(name).hex()}
    return {"hsc:name": plain_text(name), **exact}


def _split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent or "/", name
