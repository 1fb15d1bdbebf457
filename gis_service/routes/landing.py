"""The first page and the licences: ``/``, ``/licences``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Row, select

from gis_service.access import RIGHTS_OF_ROLE, system_view
from gis_service.auth import is_loopback, local_path
from gis_service.listening import is_loopback as is_loopback_host
from gis_service.routes.asking import Service, scoped
from gis_service.routes.pages import page_answer
from gis_service.running import Running
from grid_boundaries.actors import actor
from grid_boundaries.errors import NotSignedIn
from grid_boundaries.store import county
from map_ui.landing import WayIn, landing_page, licences_page

DEMO = "demo"
router = APIRouter(include_in_schema=False)


@router.get("/")
def landing(
    request: Request,
    service: Service,
    address: Annotated[str, Query(alias="next", max_length=500)] = "",
) -> Response:
    """Give the first page; in the demo, on this machine, with a link to sign in as each role."""
    with scoped(service, system_view()) as connection:
        own = connection.execute(select(county.c.code, county.c.name, county.c.dataset)).first()
        actors = connection.execute(
            select(actor.c.name, actor.c.role).where(actor.c.active).order_by(actor.c.name)
        ).all()
    if own is None:
        return page_answer(request, landing_page(""))
    wall = f"/wall/{own.code}"
    goal = local_path(address) if address else wall
    ways = _ways(service, actors, goal) if own.dataset == DEMO and is_loopback(request) else []
    known = wall if _is_signed_in(request, service) else None
    return page_answer(request, landing_page(own.name, ways, known), keep=not ways)


@router.get("/licences")
def licences(request: Request) -> Response:
    """Give the licences of everything the pages are made of."""
    return page_answer(request, licences_page())


def _ways(service: Running, actors: Sequence[Row[Any, Any]], goal: str) -> list[WayIn]:
    if not is_loopback_host(service.settings.host):
        return []
    query = urlencode({"next": goal})
    roles = list(RIGHTS_OF_ROLE)
    known = sorted(
        (row for row in actors if row.role in roles), key=lambda row: roles.index(row.role)
    )
    return [
        WayIn(row.role, f"/sign-in/{service.access.signer.token(row.name)}?{query}")
        for row in known
    ]


def _is_signed_in(request: Request, service: Running) -> bool:
    try:
        service.access.asker(request)
    except NotSignedIn:
        return False
    return True
