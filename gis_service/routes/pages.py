"""The pages and their files, and signing in: ``/``, ``/wall/{unit}``, ``/sign-in``, ``/static``."""

from __future__ import annotations

import mimetypes
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import FileResponse, RedirectResponse

from gis_service.access import seen_layers
from gis_service.auth import COOKIE, check_loopback, local_path
from gis_service.etags import known_etags
from gis_service.routes.asking import Code, Service, scoped
from grid_boundaries.errors import NotFound, NotSignedIn
from layers.duty.wall import unit_path_of
from map_ui.assets import asset_path
from map_ui.base import Page, page_file
from map_ui.wall import wall_page

YEAR_S = 365 * 24 * 3600
FOREVER = f"public, max-age={YEAR_S}, immutable"
router = APIRouter(include_in_schema=False)


@router.get("/wall/{unit}")
def wall(request: Request, service: Service, unit: Code, theme: str = "dark") -> Response:
    """Give the wall of a unit; who is not signed in goes to the landing page first."""
    try:
        asker = service.access.asker(request)
    except NotSignedIn:
        return RedirectResponse(f"/?next={quote(request.url.path)}", 303)
    chosen = "light" if theme == "light" else "dark"
    page = wall_page(unit, chosen, seen_layers(asker.view))
    try:
        with scoped(service, asker.view) as connection:
            unit_path_of(connection, asker.view, unit)
    except NotFound:
        # the page tells it to people, the status to machines
        return page_answer(request, page, keep=False, status=404)
    return page_answer(request, page)


@router.get("/sign-in/{token}")
def sign_in(
    request: Request,
    service: Service,
    token: str,
    address: Annotated[str, Query(alias="next", max_length=500)] = "/",
) -> Response:
    """Take a sign-in link and put a fresh session into the browser's cookie."""
    check_loopback(request)
    goal = local_path(address)
    signed = service.access.signer.read(token)
    answer = RedirectResponse(goal, 303)
    answer.set_cookie(
        COOKIE,
        service.access.signer.token(signed.actor),
        max_age=int(service.settings.session_hours * 3600),
        httponly=True,
        samesite="lax",
        secure=service.settings.has_tls,
    )
    return answer


@router.get("/static/{sha8}/{path:path}")
def static(sha8: str, path: str) -> Response:
    """Give a file of the pages; its address changes with its content, so it is kept for ever."""
    headers = {"Cache-Control": FOREVER}
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    made = page_file(sha8, path)
    if made is not None:
        return Response(made, media_type=kind, headers=headers)
    file = asset_path(sha8, path)
    if file is None or not file.is_file():
        raise NotFound("no-such-file", "没有这个文件", "There is no such file")
    return FileResponse(file, media_type=kind, headers=headers)


def page_answer(request: Request, page: Page, *, keep: bool = True, status: int = 200) -> Response:
    """Return a page, or 304 where the asker has it; `keep` false lets nobody keep it."""
    headers = {"ETag": page.etag, "Cache-Control": "private, no-cache"}
    if not keep:
        headers = {"Cache-Control": "no-store"}
    elif page.etag in known_etags(request):
        return Response(status_code=304, headers=headers)
    return Response(page.html, status, media_type="text/html; charset=utf-8", headers=headers)
