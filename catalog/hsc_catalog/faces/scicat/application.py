"""The SciCat face as applications of its own, to be mounted on the catalog's."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from hsc_catalog.faces.scicat import login, reading_routes, writing_routes
from hsc_catalog.faces.scicat.nest import word_errors
from hsc_catalog.faces.scicat.registering import Site
from hsc_catalog.faces.served import Served
from hsc_catalog.identity import LoginThrottle, Sources


@dataclass(frozen=True)
class ScicatFace:
    """How a catalog shows itself to SciCat's clients."""

    site: Site
    """Which facility it stands for."""
    sources: Sources = field(default_factory=Sources)
    """Of these the passwords are asked, at its login."""
    throttle: LoginThrottle | None = None
    """Counts wrong passwords, together with other places where they are typed; None: its own."""

    def mounted(self, served: Served) -> dict[str, ASGIApp]:
        """Give what is to be mounted, by path."""
        throttle = self.throttle or LoginThrottle()
        api, auth = self._application(served, throttle), self._application(served, throttle)
        for version in ("/v3", "/v4"):
            api.include_router(reading_routes.router, prefix=version)
            api.include_router(writing_routes.router, prefix=version)
            api.include_router(login.router, prefix=f"{version}/auth")
            # The login of before there was `auth`; scitacean's test kit still knocks there.
            api.include_router(login.router, prefix=f"{version}/users")
        auth.include_router(login.router)
        return {"/api": SmallLetters(api), "/auth": auth}

    def _application(self, served: Served, throttle: LoginThrottle) -> FastAPI:
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        app.state.served, app.state.site = served, self.site
        app.state.sources, app.state.throttle = self.sources, throttle
        word_errors(app)
        return app


class SmallLetters:
    """Lets clients write ``/Datasets/`` for ``/datasets``, as older ones do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] == "http":
            root = scope.get("root_path", "")
            before, _, inside = scope["path"].partition(f"{root}/")
            parts = inside.rstrip("/").split("/")
            if len(parts) > 1:
                parts[1] = parts[1].lower()
            scope = {**scope, "path": f"{before}{root}/{'/'.join(parts)}"}
        await self._app(scope, receive, send)
