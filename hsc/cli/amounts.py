"""Amounts as people write them on the command line: ``4GB``, ``512MiB``, ``200MB/s``."""

from __future__ import annotations

import typer

from hsc.settings import amount


def parse_bytes(text: str) -> int:
    """Give the bytes that a text says: kB, MB, GB, TB are powers of 1000, KiB ... of 1024.

    Raises
    ------
    typer.BadParameter
        The text is no such amount, or less than a byte.

    Examples
    --------
    >>> parse_bytes("4GB"), parse_bytes("1.5 MiB"), parse_bytes("4096")
    (4000000000, 1572864, 4096)
    """
    count = amount(text)
    if count is None:
        raise typer.BadParameter(f"{text!r} is no amount of bytes; write it like 4GB or 512MiB")
    return count


def parse_rate(text: str) -> int:
    """Give the bytes a second that a text says.

    Raises
    ------
    typer.BadParameter
        The text is no such rate.

    Examples
    --------
    >>> parse_rate("200MB/s"), parse_rate("1GiB")
    (200000000, 1073741824)
    """
    try:
        return parse_bytes(text.strip().removesuffix("/s"))
    except typer.BadParameter as error:
        raise typer.BadParameter(f"{text!r} is no rate; write it like 200MB/s") from error
