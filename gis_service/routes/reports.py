"""Papers of plans for meetings and notice boards: change report, hand-over lists, public map."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import RedirectResponse

from gis_service.access import Asker
from gis_service.errors import problem_answers
from gis_service.plan_reports import (
    change_report,
    handover_paper,
    handover_wire,
)
from gis_service.routes.asking import Code, Service, Who
from gis_service.routes.pages import page_answer
from gis_service.routes.plans import desk_of
from gis_service.village_posters import village_poster
from grid_boundaries.errors import NotSignedIn
from map_ui.paper.change_report import change_report_page
from map_ui.paper.handover_page import handover_csv, handover_page
from map_ui.paper.village_poster import Paper, poster_page

REFUSALS = problem_answers(400, 401, 403, 404, 413, 422, 503)


def reader_of(request: Request, service: Service) -> Asker | None:
    """Return who asks for a page; None for who is not signed in, and goes to do so first."""
    try:
        return service.access.asker(request)
    except NotSignedIn:
        return None


def to_sign_in(request: Request) -> Response:
    """Send a reader to the first page, from where signing in leads back here."""
    address = f"{request.url.path}?{request.url.query}".removesuffix("?")
    return RedirectResponse(f"/?next={quote(address)}", 303)


router = APIRouter(tags=["reports"], responses=REFUSALS)
Reader = Annotated[Asker | None, Depends(reader_of)]
Plan = Annotated[int, Path(ge=1, le=2**53)]
OfPlan = Annotated[int | None, Query(alias="plan", ge=1, le=2**53)]
Language = Annotated[Literal["zh", "en"], Query(alias="lang")]
Size = Annotated[Paper, Query(alias="paper")]
OTHER = {"zh": "en", "en": "zh"}
# made anew at every request: figures change, and nobody else may keep them
PDF_HEADERS = {"Cache-Control": "no-store"}


@router.get("/plans/{plan}/report", include_in_schema=False)
def report(
    request: Request, service: Service, who: Reader, plan: Plan, language: Language = "zh"
) -> Response:
    """Give the change report of a plan as a page."""
    if who is None:
        return to_sign_in(request)
    with desk_of(service, who) as desk:
        found = change_report(desk, desk.row(plan), service.plans.near)
    ways = [
        (f"/api/plans/{plan}/report.pdf?lang={language}", "paper.as_pdf"),
        (f"/plans/{plan}/handover?lang={language}", "paper.handover"),
        (f"/plans/{plan}/report?lang={OTHER[language]}", "language.other"),
    ]
    return page_answer(request, change_report_page(found, language, ways))


@router.get("/api/plans/{plan}/report.pdf")
def report_pdf(service: Service, who: Who, plan: Plan, language: Language = "zh") -> Response:
    """Give the change report of a plan as PDF."""
    with desk_of(service, who) as desk:
        found = change_report(desk, desk.row(plan), service.plans.near)
    made = service.printer.pdf(change_report_page(found, language))
    return _file(made, "application/pdf", f"plan-{plan}-report.pdf", f"{found.title}.pdf")


@router.get("/plans/{plan}/handover", include_in_schema=False)
def handover_lists(
    request: Request, service: Service, who: Reader, plan: Plan, language: Language = "zh"
) -> Response:
    """Give the hand-over lists of a plan as a page, one section a worker."""
    if who is None:
        return to_sign_in(request)
    with desk_of(service, who) as desk:
        found = handover_paper(desk, desk.row(plan))
    ways = [
        (f"/api/plans/{plan}/handover?format=csv&lang={language}", "paper.csv"),
        (f"/plans/{plan}/report?lang={language}", "paper.report"),
        (f"/plans/{plan}/handover?lang={OTHER[language]}", "language.other"),
    ]
    return page_answer(request, handover_page(found, language, ways))


@router.get("/api/plans/{plan}/handover", response_model=None)
def handover(
    service: Service,
    who: Who,
    plan: Plan,
    kind: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    language: Language = "zh",
) -> dict[str, Any] | Response:
    """Give the hand-over lists of a plan: what each worker gives and receives."""
    with desk_of(service, who) as desk:
        found = handover_paper(desk, desk.row(plan))
    if kind == "json":
        return handover_wire(found)
    name = f"{found.title}-handover.csv"
    return _file(
        handover_csv(found, language), "text/csv; charset=utf-8", f"plan-{plan}-handover.csv", name
    )


@router.get("/public/{village}/map", include_in_schema=False)
def public_map(
    request: Request,
    service: Service,
    who: Reader,
    village: Code,
    plan: OfPlan = None,
    paper: Size = "a4",
    language: Language = "zh",
) -> Response:
    """Give the public map of a village's grids as a page, for those who work on plans."""
    if who is None:
        return to_sign_in(request)
    with desk_of(service, who) as desk:
        poster = village_poster(desk, village, plan)
    ways = _poster_ways(village, plan, paper, language)
    return page_answer(request, poster_page(poster, language, paper, ways))


def _poster_ways(
    village: str, plan: int | None, paper: str, language: str
) -> list[tuple[str, str]]:
    """Return the addresses that a map leads to, made of nothing but what was read and matched."""
    own = f"/public/{quote(village, safe='')}/map"
    of_plan = "" if plan is None else f"&plan={plan}"
    return [
        (f"{own}.pdf?paper=a4&lang={language}{of_plan}", "poster.a4"),
        (f"{own}.pdf?paper=a3&lang={language}{of_plan}", "poster.a3"),
        (f"{own}?paper={paper}&lang={OTHER[language]}{of_plan}", "language.other"),
    ]


@router.get("/public/{village}/map.pdf")
def public_map_pdf(
    service: Service,
    who: Who,
    village: Code,
    plan: OfPlan = None,
    paper: Size = "a4",
    language: Language = "zh",
) -> Response:
    """Give the public map of a village's grids as PDF, to be posted."""
    with desk_of(service, who) as desk:
        poster = village_poster(desk, village, plan)
    made = service.printer.pdf(poster_page(poster, language, paper))
    return _file(made, "application/pdf", "village-map.pdf", f"{poster.village}-{paper}.pdf")


def _file(content: bytes, kind: str, plain: str, name: str) -> Response:
    """Return a file under an ASCII name, and under its own for browsers that know RFC 5987."""
    own = quote(name, safe="")
    named = f"inline; filename=\"{plain}\"; filename*=UTF-8''{own}"
    return Response(content, media_type=kind, headers={**PDF_HEADERS, "Content-Disposition": named})
