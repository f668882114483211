"""What pyFAI writes into its log and is nobody's matter: kept there, where nobody is shown it."""

from __future__ import annotations

import logging

# pyFAI warns of each radial unit that it works out in numpy: the same numbers, a little later.
_SLOWER = "No fast path for space"


def calm_pyfai() -> None:
    """Have pyFAI warn of what concerns those who reduce, and of nothing else.

    Without a handler of its own a program shows warnings of any package on the terminal. What is
    nobody's matter here becomes a line for debugging; all else is shown as before.
    """
    # That OpenCL is absent; nothing here would use it.
    logging.getLogger("silx.opencl").setLevel(logging.ERROR)
    log = logging.getLogger("pyFAI.geometry.core")
    if _calmed not in log.filters:
        log.addFilter(_calmed)


def _calmed(record: logging.LogRecord) -> bool:
    if record.levelno == logging.WARNING and record.getMessage().startswith(_SLOWER):
        # Handlers look at the level after this.
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
    return True
