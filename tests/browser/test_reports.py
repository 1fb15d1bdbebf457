"""Papers in a real browser: drawn, readable, inside the policy, on a phone and on a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Watched, signed_in, watched
from tests.browser.hostile import TEXT
from tests.county import VILLAGES
from tests.gis_service.test_plans import BLOCK_10, GRID_2, drawn, post, started
from tests.serving import Client

SIZES = {"phone": (390, 844), "1080p": (1920, 1080)}
PAPERS = ("report", "handover", "map")
EVERY = [(paper, size, language)
         for paper in PAPERS for size in SIZES for language in ("zh", "en")]  # fmt: skip


@dataclass(frozen=True)
class Papers:
    """A plan with hostile names, and where its papers are."""

    plan: int

    def address(self, paper: str, language: str) -> str:
        """Return the address of one of them."""
        if paper == "map":
            return f"/public/{VILLAGES[0]}/map?plan={self.plan}&lang={language}"
        return f"/plans/{self.plan}/{paper}?lang={language}"


@pytest.fixture(scope="module")
def papers(service: Client) -> Papers:
    """A plan that moves a block and makes a grid, both with hostile names."""
    plan = started(service, title=f"险{TEXT}"[:200])
    drawn(service, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    drawn(service, plan, 1, kind="create", name=f"险{TEXT}"[:200], blocks=["B000012"])
    post(service, f"/{plan}/comments", text="看一看")
    return Papers(plan)


def opened(browser: Browser, service: Client, size: str) -> Iterator[Watched]:
    context = signed_in(browser, service, "planner", *SIZES[size])
    yield watched(context, service)
    context.close()


@pytest.fixture
def screen(browser: Browser, service: Client, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page in a window of the size that the test names."""
    yield from opened(browser, service, getattr(request, "param", "1080p"))


def rectangles(seen: Watched, selector: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = seen.page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].map((one) => {
            const { left, top, right, bottom, width, height } = one.getBoundingClientRect();
            return { left, top, right, bottom, width, height };
        })""",
        selector,
    )
    return found


@pytest.mark.parametrize(
    ("paper", "screen", "language"), EVERY, indirect=["screen"], ids=lambda value: str(value)
)
def test_a_paper_is_drawn_within_the_policy_and_asks_nobody_else(
    screen: Watched, papers: Papers, paper: str, language: str
) -> None:
    answer = screen.page.goto(screen.base + papers.address(paper, language))
    assert answer is not None
    assert answer.status == 200
    assert screen.foreign() == []
    assert screen.refused() == []
    assert screen.complaints == []
    assert screen.page.evaluate("window.harmed") is None
    assert screen.page.evaluate("document.documentElement.lang") == {
        "zh": "zh-CN", "en": "en"
    }[language]  # fmt: skip
    # the style has come: a page without it is in the browser's own letters
    family: Any = screen.page.evaluate("getComputedStyle(document.body).fontFamily")
    assert "Noto Sans CJK SC" in family


@pytest.mark.parametrize(
    ("paper", "screen"), [(paper, size) for paper in PAPERS for size in SIZES], indirect=["screen"]
)
def test_a_paper_is_as_wide_as_the_window_and_no_wider(
    screen: Watched, papers: Papers, paper: str
) -> None:
    screen.page.goto(screen.base + papers.address(paper, "zh"))
    width: Any = screen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0


@pytest.mark.parametrize("screen", SIZES, indirect=True)
def test_maps_stand_beside_one_another_on_a_screen_and_below_on_a_phone(
    screen: Watched, papers: Papers
) -> None:
    screen.page.goto(screen.base + papers.address("report", "zh"))
    old, new = rectangles(screen, "svg.map")[:2]
    assert min(old["width"], old["height"]) > 150
    is_phone = screen.page.viewport_size == {"width": 390, "height": 844}
    assert (new["top"] > old["bottom"]) == is_phone
    assert (new["left"] > old["right"]) != is_phone


@pytest.mark.parametrize("screen", SIZES, indirect=True)
def test_names_on_the_maps_do_not_cross_as_the_browser_draws_them(
    screen: Watched, papers: Papers
) -> None:
    screen.page.goto(screen.base + papers.address("report", "zh"))
    for number in range(len(rectangles(screen, "svg.map"))):
        boxes = rectangles(screen, f"figure .side:nth-of-type({number + 1}) svg.map text")
        for place, one in enumerate(boxes):
            for other in boxes[place + 1 :]:
                across = min(one["right"], other["right"]) - max(one["left"], other["left"])
                down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
                # a browser's box of a line is taller than its letters
                assert across <= 0 or down <= 0.4 * one["height"], (one, other)


def test_the_hatched_ground_is_painted(screen: Watched, papers: Papers) -> None:
    screen.page.goto(screen.base + papers.address("report", "zh"))
    hatched = screen.page.locator("svg.map path[fill^='url(#']").first
    assert hatched.is_visible()
    shot = hatched.screenshot()
    assert len(shot) > 500


def test_printed_it_has_no_buttons_and_keeps_its_tables_whole(
    screen: Watched, papers: Papers
) -> None:
    screen.page.goto(screen.base + papers.address("report", "zh"))
    assert screen.page.locator(".ways").is_visible()
    screen.page.emulate_media(media="print")
    assert not screen.page.locator(".ways").is_visible()
    assert screen.page.locator(".figures").is_visible()
    ink: Any = screen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ink == "rgb(255, 255, 255)"


def test_the_buttons_lead_to_the_other_papers_and_the_other_language(
    screen: Watched, papers: Papers
) -> None:
    screen.page.goto(screen.base + papers.address("report", "zh"))
    screen.page.get_by_role("link", name="交接清单").click()
    screen.page.wait_for_url(lambda url: url.endswith(f"/plans/{papers.plan}/handover?lang=zh"))
    screen.page.get_by_role("link", name="English").click()
    screen.page.wait_for_url(lambda url: url.endswith("?lang=en"))
    assert "Hand-over lists of workers" in screen.page.content()
    screen.page.get_by_role("link", name="Change report").click()
    screen.page.wait_for_url(lambda url: "/report" in url)
    assert screen.page.locator("h1").inner_text().startswith("险{{7*7}}")


@pytest.mark.parametrize("screen", ["phone"], indirect=True)
def test_buttons_are_large_enough_for_a_thumb(screen: Watched, papers: Papers) -> None:
    screen.page.goto(screen.base + papers.address("report", "zh"))
    assert all(one["height"] >= 40 for one in rectangles(screen, ".ways a"))
