"""Words of a text as full-text search knows them."""

from __future__ import annotations

import unicodedata

_ASCII = {
    code: sign.lower() if sign.isalnum() else " " for code, sign in enumerate(map(chr, range(128)))
}


def words(text: str) -> list[str]:
    """Split a text into words without case or accents, each once, in order.

    A word is a run of letters, digits and signs such as µ, ° or emoji. No character with a meaning
    to a query language is left, so words can be put into one as they are.

    Examples
    --------
    >>> words("Ångström-wide (SAXS) 12 °C, saxs")
    ['angstrom', 'wide', 'saxs', '12', '°c']
    """
    if text.isascii():  # most are, and then it is one step in C
        return list(dict.fromkeys(text.translate(_ASCII).split()))
    folded = unicodedata.normalize("NFKD", text.casefold())
    return list(dict.fromkeys(folded.translate(_KEPT).split()))


class _Kept(dict[int, str]):
    """What stays of each character, worked out once."""

    def __missing__(self, number: int) -> str:
        self[number] = kept = _kept(chr(number))
        return kept


_KEPT = _Kept()


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Mn":  # an accent, apart from its letter after NFKD
        return ""
    # ASCII signs are all punctuation here; of the others symbols (S) count as letters do.
    kinds = "LN" if character.isascii() else "LNSM"
    return character if category[0] in kinds else " "
