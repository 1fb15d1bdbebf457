"""Where the next sites go: ``/api/coverage/next-sites`` and ``/api/coverage/posts``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from gis_service import service_post_answers, site_answers
from gis_service.access import Asker, at_unit
from gis_service.errors import json_bytes, problem_answers
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import takes
from gis_service.routes.coverage_cameras import PRIVATE, Kind, kept_sight, version_of
from gis_service.running import Running
from gis_service.site_requests import NextSitesAsked, ServicePostsAsked
from layers.duty.wall import unit_path_of
from layers.read import the_county
from map_ui.paper.sheet import sheet_csv

REFUSALS = problem_answers(400, 401, 403, 404, 408, 413, 415, 422, 503)
router = APIRouter(prefix="/api/coverage", tags=["coverage"], responses=REFUSALS)
SOURCES = (
    "cameras", "devices", "buildings", "places", "resources", "people", "streets", "blocks",
    "units",
)  # fmt: skip
Language = Annotated[Literal["zh", "en"], Query(alias="lang")]


@router.post("/next-sites", response_class=Response, openapi_extra=takes(NextSitesAsked))
def next_sites(
    service: Service, who: Who, body: JsonBody, kind: Kind = "json", language: Language = "zh"
) -> Response:
    """Give the next cameras of a unit, what each adds, and how far from the best at most."""
    who.needs("cameras")
    who.needs("counts")
    asked = read(NextSitesAsked, body)

    def choose(path: str) -> dict[str, Any]:
        file = _site_file(service, who, asked, path)
        # the choice takes its seconds: no connection waits for it
        return site_answers.next_sites_answer(file, kept_sight(service), asked)

    found = _kept(service, who, asked, choose)
    if kind == "json":
        return _json(found)
    return _sheet(site_answers.SITE_COLUMNS, site_answers.site_sheet(found), language)


@router.post("/posts", response_class=Response, openapi_extra=takes(ServicePostsAsked))
def posts(
    service: Service, who: Who, body: JsonBody, kind: Kind = "json", language: Language = "zh"
) -> Response:
    """Give the next police rooms, AEDs or other posts of a unit, by walking time."""
    who.needs("counts")
    asked = read(ServicePostsAsked, body)

    def choose(path: str) -> dict[str, Any]:
        with scoped(service, who.view) as connection:
            county, part = the_county(connection), at_unit(who.view, path)
            walked = service.streets.of(connection, who.view, county)
            file = service_post_answers.post_file(connection, who.view, part, county, walked, asked)
        return service_post_answers.posts_answer(file, asked)

    found = _kept(service, who, asked, choose)
    if kind == "json":
        return _json(found)
    return _sheet(
        service_post_answers.POST_COLUMNS, service_post_answers.post_sheet(found), language
    )


def _site_file(
    service: Running, who: Asker, asked: NextSitesAsked, path: str
) -> site_answers.SiteFile:
    with scoped(service, who.view) as connection:
        county, part = the_county(connection), at_unit(who.view, path)
        junctions = asked.at == "junctions"
        walked = service.streets.of(connection, who.view, county) if junctions else None
        return site_answers.site_file(connection, who.view, part, county, walked, asked)


def _kept(
    service: Running,
    who: Asker,
    asked: NextSitesAsked | ServicePostsAsked,
    choose: Callable[[str], dict[str, Any]],
) -> dict[str, Any]:
    """Return an answer of this asker's area from those kept, or choose anew."""
    with scoped(service, who.view) as connection:
        county = the_county(connection)
        unit = asked.unit
        path = county.unit_path if unit is None else unit_path_of(connection, who.view, unit)
        scope = at_unit(who.view, path).scope
        versions = version_of(connection, SOURCES)
    key = (type(asked).__name__, asked.model_dump_json(), who.view.scope, scope, versions)
    return service.sites.of(key, lambda: choose(path))


def _json(found: dict[str, Any]) -> Response:
    return Response(json_bytes(found), media_type="application/json", headers=PRIVATE)


def _sheet(columns: Sequence[str], rows: list[list[Any]], language: str) -> Response:
    named = {**PRIVATE, "Content-Disposition": 'attachment; filename="sites.csv"'}
    made = sheet_csv(columns, rows, language)
    return Response(made, media_type="text/csv; charset=utf-8", headers=named)
