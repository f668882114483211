"""A dataset may come in for a group of the caller's own, and is then as visible as that says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hsc.errors import ForbiddenError
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog.access import ALL_SCOPES, Admission, Admitted, Caller
from hsc_catalog.sql import open_database

AT = datetime(2026, 11, 22, tzinfo=UTC)


def _admitted(
    tmp_path: Path, caller: Caller, groups: Sequence[str], proposal: str | None = None
) -> Admitted:
    dataset, activity = example_dataset(proposal=proposal), example_activity()
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5)
    with database.writing() as connection:
        admission = Admission(connection, caller, AT)
        admission.expect([(dataset, activity, [])])
        admitted = admission.admit(dataset, activity, [], groups)
    database.close()
    return admitted


def _caller(*groups: str, roles: frozenset[str] = frozenset()) -> Caller:
    return Caller("anna", frozenset(groups), roles, scopes=ALL_SCOPES)  # type: ignore[arg-type]


def test_a_member_of_a_group_may_register_for_it_and_share_with_others(tmp_path: Path) -> None:
    admitted = _admitted(tmp_path, _caller("uu"), ["uu", "faculty"])
    access = admitted.standing.document()
    assert (access.visibility, access.groups) == ("group", ("faculty", "uu"))


def test_nobody_registers_for_groups_of_others(tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError):
        _admitted(tmp_path, _caller("uu"), ["faculty"])


def test_where_others_decide_only_the_own_group_counts(tmp_path: Path) -> None:
    admitted = _admitted(tmp_path, _caller("uu"), ["uu", "faculty"], proposal="p1")
    assert admitted.standing.document().groups == ("uu",)


def test_an_ingestor_registers_for_any_group(tmp_path: Path) -> None:
    ingestor = _caller(roles=frozenset({"ingestor"}))
    admitted = _admitted(tmp_path, ingestor, ["faculty"], proposal="p1")
    assert admitted.standing.document().groups == ("faculty",)
