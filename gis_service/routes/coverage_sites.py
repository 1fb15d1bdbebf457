"""Where the next sites go: ``/api/coverage/next-sites`` and ``/api/coverage/posts``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from gis_service import site_words
from gis_service.access import Asker
from gis_service.asked_area import AskedArea, asked_area
from gis_service.errors import BUSY, json_bytes, problem_answers, refusal_of
from gis_service.hearing import message
from gis_service.leaving import asking, told_on_the_way, while_asked
from gis_service.plan_requests import read
from gis_service.routes.asking import JsonBody, Service, Who, scoped
from gis_service.routes.bodies import gives, takes
from gis_service.routes.coverage_cameras import PRIVATE, kept_sight, version_of
from gis_service.routes.layers import GEOJSON
from gis_service.running import Running
from gis_service.service_post_answers import PostFile, post_file
from gis_service.site_answers import Tell
from gis_service.site_question import SiteQuestion, site_question
from gis_service.site_requests import NextSitesAsked, ServicePostsAsked
from grid_boundaries.errors import Refused
from layers.read import the_county
from map_ui.paper.sheet import sheet_csv

REFUSALS = problem_answers(400, 401, 403, 404, 408, 413, 415, 422, 503)
router = APIRouter(prefix="/api/coverage", tags=["coverage"], responses=REFUSALS)
SOURCES = (
    "cameras", "devices", "buildings", "places", "resources", "people", "streets", "blocks",
    "grids", "units",
)  # fmt: skip
STREAM = "text/event-stream"
ANSWERS = gives("application/json", "text/csv", GEOJSON, STREAM)
Form = Annotated[Literal["json", "csv", "geojson"], Query(alias="format")]
Language = Annotated[Literal["zh", "en"], Query(alias="lang")]
Accepted = Annotated[str, Header(alias="accept")]
Question = NextSitesAsked | ServicePostsAsked


@dataclass(frozen=True)
class _Asking:
    """One question with who asks it."""

    service: Running
    who: Asker
    asked: Question


@dataclass(frozen=True)
class _Shape:
    """In what form an answer goes back: its rows, and the columns of its sheet."""

    form: Literal["json", "csv", "geojson"]
    language: str
    rows: str
    columns: Sequence[str]
    sheet: Callable[[dict[str, Any], str], list[list[Any]]]

    def __call__(self, found: dict[str, Any]) -> Response:
        if self.form == "geojson":
            features = site_words.features(found[self.rows])
            return Response(json_bytes(features), media_type=GEOJSON, headers=PRIVATE)
        if self.form == "json":
            return Response(json_bytes(found), media_type="application/json", headers=PRIVATE)
        named = {**PRIVATE, "Content-Disposition": f'attachment; filename="{self.rows}.csv"'}
        made = sheet_csv(self.columns, self.sheet(found, self.language), self.language)
        return Response(made, media_type="text/csv; charset=utf-8", headers=named)


@router.post(
    "/next-sites",
    response_class=Response,
    openapi_extra=takes(NextSitesAsked),
    responses=ANSWERS,
)
async def next_sites(
    request: Request,
    service: Service,
    who: Who,
    body: JsonBody,
    accept: Accepted = "",
    form: Form = "json",
    language: Language = "zh",
) -> Response:
    """Give the next cameras of a unit or grid, what each adds, how far from the best at most."""
    who.needs("cameras")
    who.needs("counts")
    asked = await run_in_threadpool(read, NextSitesAsked, body)
    shape = _Shape(form, language, "sites", site_words.SITE_COLUMNS, site_words.site_sheet)
    return await _answered(request, _Asking(service, who, asked), accept, shape)


@router.post(
    "/posts",
    response_class=Response,
    openapi_extra=takes(ServicePostsAsked),
    responses=ANSWERS,
)
async def posts(
    request: Request,
    service: Service,
    who: Who,
    body: JsonBody,
    accept: Accepted = "",
    form: Form = "json",
    language: Language = "zh",
) -> Response:
    """Give the next police rooms, AEDs or other posts of a unit or grid, by walking time."""
    who.needs("counts")
    asked = await run_in_threadpool(read, ServicePostsAsked, body)
    shape = _Shape(form, language, "posts", site_words.POST_COLUMNS, site_words.post_sheet)
    return await _answered(request, _Asking(service, who, asked), accept, shape)


async def _answered(request: Request, one: _Asking, accept: str, shape: _Shape) -> Response:
    """Answer once it is worked out, or, where a stream is accepted, tell the steps before it."""
    if STREAM in accept:
        lines = told_on_the_way(lambda tell: _last_line(one, tell))
        own = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(lines, media_type=STREAM, headers=own)
    return shape(await while_asked(request, lambda: _found(one, _silent)))


def _silent(step: str, share: float) -> None:
    """Tell nobody."""


def _last_line(one: _Asking, tell: Callable[[bytes], None]) -> bytes:
    def step(name: str, share: float) -> None:
        zh, en = site_words.STEPS[name]
        tell(message("step", {"step": name, "zh": zh, "en": en, "share": share}))

    try:
        return message("answer", _found(one, step))
    except (Refused, *BUSY) as error:
        refused = refusal_of(error) or error
        said = {name: getattr(refused, name) for name in ("code", "zh", "en", "where")}
        return message("problem", {**said, "where": dict(said["where"])})


def _found(one: _Asking, tell: Tell) -> dict[str, Any]:
    """Return an answer of this asker's area from those kept, or have it worked out beside."""
    service, asked, view = one.service, one.asked, one.who.view
    with scoped(service, view) as connection:
        area = asked_area(connection, view, asked.unit)
        versions = version_of(connection, SOURCES)
    key = (
        type(asked).__name__, asked.model_dump_json(), view.scope, area.part.scope, versions,
    )  # fmt: skip

    def work_out() -> dict[str, Any]:
        tell("reading", 0.0)
        name, question = _question(one, area)
        # the choice takes its seconds: no connection waits for it
        return service.beside.answer(name, question, asked.within_s, tell, asking().has_left)

    return service.sites.of(key, work_out)


def _question(one: _Asking, area: AskedArea) -> tuple[str, SiteQuestion | PostFile]:
    if isinstance(one.asked, ServicePostsAsked):
        return "posts", _post_file(one, area, one.asked)
    return "next-sites", _site_question(one, area, one.asked)


def _post_file(one: _Asking, area: AskedArea, asked: ServicePostsAsked) -> PostFile:
    view = one.who.view
    with scoped(one.service, view) as connection:
        county = the_county(connection)
        walked = one.service.streets.of(connection, view, county)
        return post_file(connection, view, area, county, walked, asked)


def _site_question(one: _Asking, area: AskedArea, asked: NextSitesAsked) -> SiteQuestion:
    sight, view = kept_sight(one.service), one.who.view  # every camera counts, whoever asks
    with scoped(one.service, view) as connection:
        county = the_county(connection)
        on_streets = "junctions" in asked.at
        walked = one.service.streets.of(connection, view, county) if on_streets else None
        return site_question(connection, view, area, county, walked, sight, asked)
