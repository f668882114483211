"""The tree of errors: as drawn, complete, and the same again after a pickle."""

from __future__ import annotations

import pickle
import re

import pytest

import hsc.errors
from hsc.errors import HscError


def tree(kind: type[HscError]) -> list[type[HscError]]:
    """Give a class of hsc.errors and all below it."""
    below = [child for child in kind.__subclasses__() if child.__module__ == hsc.errors.__name__]
    return [kind, *(error for child in below for error in tree(child))]


KINDS = tree(HscError)
LOOKUPS = [kind for kind in KINDS if issubclass(kind, KeyError)]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: list[tuple[str, str, str]] = []
    path: list[str] = []
    for line in (hsc.errors.__doc__ or "").splitlines():
        match = re.match(r"    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: \((?P<also>\w+)\))?", line)
        if match:
            depth = len(match["branch"]) // 4
            path[depth:] = [match["name"]]
            parent = path[depth - 1] if depth else "Exception"
            drawn.append((match["name"], parent, match["also"] or ""))
    bases = {kind: [base.__name__ for base in kind.__bases__] for kind in KINDS}
    real = [(kind.__name__, bases[kind][0], "".join(bases[kind][1:])) for kind in KINDS]
    assert sorted(drawn) == sorted(real)
    assert {name for name, *_ in drawn} == set(hsc.errors.__all__)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_a_pickle_with_all_it_says(kind: type[HscError]) -> None:
    error = kind("12 of 13 shards", where="/entry/data", next_step="run hsc verify")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is kind
    assert again.document() == error.document()
    assert str(again) == str(error)
    assert again.args == error.args


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_prints_what_where_and_next(kind: type[HscError]) -> None:
    assert str(kind("it's 'é'")) == "it's 'é'"
    whole = str(kind("what", where="here", next_step="do this"))
    assert whole == "what\n  where: here\n  next:  do this"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_as_json_has_its_class_name(kind: type[HscError]) -> None:
    document = kind("what", where="here").document()
    assert document == {"error": kind.__name__, "message": "what", "where": "here", "next": ""}


def test_lookup_errors_print_their_message_not_its_repr() -> None:
    assert len(LOOKUPS) >= 3
    for kind in LOOKUPS:
        assert str(kind("no 'such' dataset")) == "no 'such' dataset"
