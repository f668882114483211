"""PIDs: their text and back, and what is none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import InvalidPidError
from hsc.model import Pid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

pids = st.builds(
    Pid,
    prefix=st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", fullmatch=True),
    suffix=st.builds(
        lambda first, rest: first + rest,
        st.sampled_from("01234567"),
        st.text(CROCKFORD, min_size=25, max_size=25),
    ),
    version=st.none() | st.integers(1, 999_999_999),
)

foreign = st.builds(
    Pid,
    prefix=st.sampled_from(["20.500.12269", "10.1234", "PID.prefix.a0b1"]),
    suffix=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", fullmatch=True),
    version=st.none() | st.integers(1, 999_999_999),
)
pids = pids | foreign


@given(pids)
def test_a_pid_survives_its_text(pid: Pid) -> None:
    assert Pid.parse(str(pid)) == pid
    assert Pid.parse(f"  {pid}\n") == pid
    assert Pid.parse(pid) is pid


@given(pids, st.integers(1, 999_999_999))
def test_a_version_can_be_named_and_dropped(pid: Pid, version: int) -> None:
    assert pid.at(version).version == version
    assert pid.at(version).latest() == pid.latest()
    assert "@" not in str(pid.latest())


@given(st.text(max_size=40))
def test_any_text_is_a_pid_or_a_typed_error(text: str) -> None:
    with suppress(InvalidPidError):
        assert str(Pid.parse(text)) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ULID,
        f"/{ULID}",
        f"hsc.maxiv/{ULID[:-1]}",
        f"hsc.maxiv/{ULID}0",
        f"hsc.maxiv/{ULID.lower()}",
        f"hsc.maxiv/8{ULID[1:]}",
        f"hsc.maxiv/{ULID[:-1]}I",
        f"hsc.maxiv/{ULID}@0",
        f"hsc.maxiv/{ULID}@01",
        f"hsc.maxiv/{ULID}@",
        f"hsc.maxiv/{ULID}@1234567890",
        f".hsc/{ULID}",
        f"../{ULID}",
        f"a/b/{ULID}",
        f"hsc maxiv/{ULID}",
        f"{'x' * 65}/{ULID}",
        f"hsc.maxiv/{ULID}@\u0661",
    ],
)
def test_what_breaks_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(InvalidPidError) as caught:
        Pid.parse(text)
    assert repr(text) in caught.value.message


@pytest.mark.parametrize("suffix", ["5a7b4e1c-0f9e-4d0c-9f4e-0a8b7c6d5e4f", "xfel.2026~3", "a"])
def test_another_catalogs_pid_is_a_pid_without_a_folder(suffix: str) -> None:
    pid = Pid.parse(f"20.500.12269/{suffix}")
    assert pid.suffix == suffix
    with pytest.raises(InvalidPidError, match="another catalog"):
        _ = pid.ulid
    with pytest.raises(InvalidPidError):
        Pid.parse(f"hsc.maxiv/{suffix}")


def test_new_pids_differ_and_follow_the_grammar() -> None:
    made = {Pid.generate("hsc.maxiv") for _ in range(1000)}
    assert len(made) == 1000
    assert all(Pid.parse(str(pid)) == pid and pid.version is None for pid in made)
    with pytest.raises(InvalidPidError):
        Pid.generate("no prefix")
