"""Prefect's settings as hsc wants them, put in place before Prefect is imported.

Prefect reads its environment once, when it is first imported, and may report to its maker at that
very moment. So this runs first: `hsc_pipelines.prefect_kit` is the only file that imports Prefect,
and calls `prepare` before it does.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

from hsc import settings

_ALWAYS = {
    # Nothing about a facility's work leaves it: both of Prefect's reports to its maker are off.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A server takes 20 to 30 s to start on a busy machine; Prefect gives up after 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Also where the user's own Prefect profile is one without a server.
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
}


def prepare(*, quiet: bool = False) -> None:
    """Put Prefect's settings in place; what the environment says already stays.

    Parameters
    ----------
    quiet
        Show only warnings and errors on stderr, unless ``PREFECT_LOGGING_LEVEL`` asks otherwise.
    """
    for name, value in _ALWAYS.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("PREFECT_HOME"):
        # Prefect makes the last folder of the path only, and waits 120 s for a server without it.
        home = settings.home() / "prefect"
        home.mkdir(parents=True, exist_ok=True)
        os.environ["PREFECT_HOME"] = str(home)
    if quiet and "PREFECT_LOGGING_LEVEL" not in os.environ:
        # The console's level and not the loggers': the server still gets every line.
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "WARNING")


def without_credentials(url: str) -> str:
    """Give a URL without user, password, query and fragment, fit for an error message.

    Examples
    --------
    >>> without_credentials("https://me:secret@prefect.example.org:4200/api?token=x")
    'https://prefect.example.org:4200/api'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
