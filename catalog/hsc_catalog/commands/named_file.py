"""Files that commands read or make: what is wrong with one is said of it by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hsc.errors import ConfigurationError, HscError


@contextmanager
def naming(file: Path, use: str) -> Iterator[None]:
    """Word what the file system refuses in the block as an error about a file.

    Parameters
    ----------
    file
        The file as the caller named it.
    use
        What is done with it: ``"read"``, ``"written"``.

    Raises
    ------
    ConfigurationError
        The file system refused.
    """
    try:
        yield
    except HscError:  # some are OSErrors too, and say more
        raise
    except OSError as error:
        raise ConfigurationError(
            f"the file can't be {use}: {error.strerror}",
            where=str(file),
            next_step="name a file that can; its folder has to be there",
        ) from error
