"""Papers of plans for meetings and notice boards: change report, hand-over lists, public map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import RedirectResponse

from gis_service.errors import problem_answers
from gis_service.leaving import asking
from gis_service.plan_reports import (
    change_report,
    handover_paper,
    handover_wire,
)
from gis_service.planning import Desk
from gis_service.routes.asking import Code, running_of
from gis_service.routes.bodies import gives
from gis_service.routes.pages import page_answer
from gis_service.routes.plans import desk_of
from gis_service.running import Running
from gis_service.village_posters import village_poster
from grid_boundaries.errors import NotSignedIn
from map_ui.base import Page
from map_ui.paper.change_report import ChangeReport, change_report_page
from map_ui.paper.handover_page import HandoverPaper, handover_csv, handover_page
from map_ui.paper.village_poster import Paper, VillagePoster, poster_page

Found = TypeVar("Found")
Word = Literal["zh", "en"]
PDF, CSV = "application/pdf", "text/csv"
REFUSALS = problem_answers(400, 401, 403, 404, 413, 422, 503)
router = APIRouter(tags=["reports"], responses=REFUSALS)
Plan = Annotated[int, Path(ge=1, le=2**53)]
OfPlan = Annotated[int | None, Query(alias="plan", ge=1, le=2**53)]
Language = Annotated[Word, Query(alias="lang")]
Size = Annotated[Paper, Query(alias="paper")]
OTHER = {"zh": "en", "en": "zh"}
# made anew at every request: figures change, and nobody else may keep them
PDF_HEADERS = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Head:
    """What every paper is asked for with, and the three ways in which it is handed out."""

    request: Request
    service: Running
    language: Word

    def found(self, read: Callable[[Desk], Found]) -> Found:
        """Return what a paper shows, to those who may work on plans."""
        who = self.service.access.asker(self.request)
        with desk_of(self.service, who) as desk:
            return read(desk)

    def page(self, read: Callable[[Desk], Found], made: Callable[[Found], Page]) -> Response:
        """Answer with a page; who is not signed in goes to do so, and is led back here."""
        try:
            return page_answer(self.request, made(self.found(read)))
        except NotSignedIn:
            url = self.request.url
            address = f"{url.path}?{url.query}".removesuffix("?")
            return RedirectResponse(f"/?next={quote(address)}", 303)

    def pdf(self, page: Page, plain: str, name: str) -> Response:
        """Answer with a page as PDF; it waits for others that are printed."""
        settings = self.service.settings
        made = self.service.printer.pdf(
            page,
            wait_s=settings.print_wait_s,
            most_waiting=settings.print_queue_limit,
            has_left=asking().has_left,
        )
        return file_answer(made, PDF, plain, name)


def head_of(request: Request, language: Language = "zh") -> Head:
    """Return the head of a request for a paper."""
    return Head(request, running_of(request), language)


Asked = Annotated[Head, Depends(head_of)]


def report_of(head: Head, plan: int) -> Callable[[Desk], ChangeReport]:
    """Return what reads the change report of a plan."""
    return lambda desk: change_report(desk, desk.row(plan), head.service.plans.near)


def handover_of(plan: int) -> Callable[[Desk], HandoverPaper]:
    """Return what reads the hand-over lists of a plan."""
    return lambda desk: handover_paper(desk, desk.row(plan))


def poster_of(village: str, plan: int | None) -> Callable[[Desk], VillagePoster]:
    """Return what reads the public map of a village, as a plan has it where one is named."""
    return lambda desk: village_poster(desk, village, plan)


@router.get("/plans/{plan}/report", include_in_schema=False)
def report(head: Asked, plan: Plan) -> Response:
    """Give the change report of a plan as a page."""
    language = head.language
    ways = [
        (f"/api/plans/{plan}/report.pdf?lang={language}", "paper.as_pdf"),
        (f"/plans/{plan}/handover?lang={language}", "paper.handover"),
        (f"/plans/{plan}/report?lang={OTHER[language]}", "language.other"),
    ]
    return head.page(report_of(head, plan), lambda found: change_report_page(found, language, ways))


@router.get("/api/plans/{plan}/report.pdf", response_class=Response, responses=gives(PDF))
def report_pdf(head: Asked, plan: Plan) -> Response:
    """Give the change report of a plan as PDF."""
    found = head.found(report_of(head, plan))
    page = change_report_page(found, head.language)
    return head.pdf(page, f"plan-{plan}-report.pdf", f"{found.title}.pdf")


@router.get("/plans/{plan}/handover", include_in_schema=False)
def handover_lists(head: Asked, plan: Plan) -> Response:
    """Give the hand-over lists of a plan as a page, one section a worker."""
    language = head.language
    ways = [
        (f"/api/plans/{plan}/handover?format=csv&lang={language}", "paper.csv"),
        (f"/plans/{plan}/report?lang={language}", "paper.report"),
        (f"/plans/{plan}/handover?lang={OTHER[language]}", "language.other"),
    ]
    return head.page(handover_of(plan), lambda found: handover_page(found, language, ways))


@router.get("/api/plans/{plan}/handover", response_model=None, responses=gives(CSV))
def handover(
    head: Asked,
    plan: Plan,
    kind: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> dict[str, Any] | Response:
    """Give the hand-over lists of a plan: what each worker gives and receives."""
    found = head.found(handover_of(plan))
    if kind == "json":
        return handover_wire(found)
    body, name = handover_csv(found, head.language), f"{found.title}-handover.csv"
    return file_answer(body, f"{CSV}; charset=utf-8", f"plan-{plan}-handover.csv", name)


@router.get("/public/{village}/map", include_in_schema=False)
def public_map(head: Asked, village: Code, plan: OfPlan = None, paper: Size = "a4") -> Response:
    """Give the public map of a village's grids as a page, for those who work on plans."""
    ways = _poster_ways(village, plan, paper, head.language)
    return head.page(
        poster_of(village, plan), lambda found: poster_page(found, head.language, paper, ways)
    )


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


@router.get("/public/{village}/map.pdf", response_class=Response, responses=gives(PDF))
def public_map_pdf(head: Asked, village: Code, plan: OfPlan = None, paper: Size = "a4") -> Response:
    """Give the public map of a village's grids as PDF, to be posted."""
    found = head.found(poster_of(village, plan))
    page = poster_page(found, head.language, paper)
    return head.pdf(page, "village-map.pdf", f"{found.village}-{paper}.pdf")


def file_answer(content: bytes, kind: str, plain: str, name: str) -> Response:
    """Return a file under an ASCII name, and under its own for browsers that know RFC 5987."""
    own = quote(name, safe="")
    named = f"inline; filename=\"{plain}\"; filename*=UTF-8''{own}"
    return Response(content, media_type=kind, headers={**PDF_HEADERS, "Content-Disposition": named})
