"""Making the application from a database."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Lifespan

from hsc.errors import HscError, UnauthenticatedError
from hsc_catalog.access import ANONYMOUS, Caller
from hsc_catalog.app.crossing import Crossing
from hsc_catalog.app.describing import TITLE, description
from hsc_catalog.app.paths import DescribedPaths
from hsc_catalog.databases import Database
from hsc_catalog.delivery import Delivery
from hsc_catalog.faces import problems, v1
from hsc_catalog.faces.scicat import ScicatFace
from hsc_catalog.faces.served import Authenticate, Limits, Rate, Served

STREAMED = frozenset({"/v1/import"})
"""Routes that read their request as it comes, and bound each line of it themselves."""


def nobody(bearer: str | None, link: str | None) -> Caller:
    """Know nobody: who brings no token is anonymous, and no token counts.

    Raises
    ------
    UnauthenticatedError
        Somebody brought one.
    """
    if bearer is None and link is None:
        return ANONYMOUS
    raise UnauthenticatedError("this catalog knows no such token")


def create_app(
    database: Database,
    *,
    authenticate: Authenticate = nobody,
    delivery: Delivery | None = None,
    limits: Limits | None = None,
    rate: Rate | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
    scicat: ScicatFace | None = None,
) -> FastAPI:
    """Make the application that serves a catalog over HTTP.

    Parameters
    ----------
    database
        The database, open; whoever opened it closes it.
    authenticate
        Knows who asks; by default nobody is known.
    delivery
        Gives the objects of datasets; None: from the stores that the environment names.
    limits
        How much one request may bring and ask for.
    rate
        How often callers and addresses may ask; None: any time.
    lifespan
        What is done before the first request and after the last; None: nothing.
    scicat
        How SciCat's clients are served; None: they are not.

    Returns
    -------
    FastAPI
        The ASGI application; ``app.state.served`` is what it serves.
    """
    app = FastAPI(
        title=TITLE,
        version="1",
        openapi_url="/v1/openapi.json",
        # Both pages fetch their scripts from a network of somebody else's.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        lifespan=lifespan,
    )
    bounds = limits or Limits()
    app.state.served = Served(database, authenticate, delivery or Delivery(database), bounds, rate)
    app.include_router(v1.router)
    for path, face in scicat.mounted(app.state.served).items() if scicat else ():
        app.mount(path, face)
    _tell_problems(app)
    app.openapi = description  # type: ignore[method-assign]  # as FastAPI's manual has it
    app.add_middleware(
        Crossing,
        paths=DescribedPaths(description),
        body_nbytes=bounds.body_nbytes,
        streamed=STREAMED,
        rate=rate,
    )
    return app


def _tell_problems(app: FastAPI) -> None:
    """Answer every error as a problem."""

    async def of_hsc(request: Request, error: Exception) -> Response:
        assert isinstance(error, HscError)  # noqa: S101 - by its registration below
        return problems.problem_of(error, request_id(request))

    async def of_fields(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return problems.invalid_request(error, request_id(request))

    async def of_routing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return problems.refused(error, request_id(request))

    app.add_exception_handler(HscError, of_hsc)
    app.add_exception_handler(RequestValidationError, of_fields)
    app.add_exception_handler(HTTPException, of_routing)


def request_id(request: Request) -> str:
    """Give the number of a request."""
    return str(request.state.request_id)
