"""A real browser before the real service over the made-up county."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)
from sqlalchemy import create_engine

from gis_service.database import Database
from map_ui import assets
from tests.browser.hostile import plant
from tests.conftest import Server
from tests.county import COUNTY
from tests.serving import Client, fill, serving, sqlalchemy_url, token_of

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
]
PATIENT_S = 60.0  # a busy machine is slow; what never comes fails all the same
expect.set_options(timeout=PATIENT_S * 1000)
# tells the test of anything that the page's policy refused, wherever it happened
LISTEN = """
    window.refused = [];
    document.addEventListener("securitypolicyviolation",
        (event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Watched:
    """A page and everything it asked for, complained of and was refused."""

    page: Page
    base: str
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    weight: list[int] = field(default_factory=list)

    def open(self, unit: str = COUNTY, query: str = "") -> None:
        """Open a wall and wait until its tiles and figures are there."""
        self.page.goto(f"{self.base}/wall/{unit}{query}")
        self.settle()

    def settle(self) -> None:
        """Wait until the map is drawn and nothing is under way but the event stream."""
        self.until(
            "GIS.state.wall && GIS.tiles._map && GIS.map.getContainer().ariaBusy === 'false'"
            " && GIS.tiles.onScreen().length && document.documentElement.dataset.line === 'live'"
            " && !GIS.map._animatingZoom && !GIS.map._panAnim?._inProgress"
        )
        # signs and names are drawn in the frame after the tiles
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def until(self, condition: str, longest_s: float = PATIENT_S) -> None:
        """Wait until a script's condition holds; the policy forbids the page to be asked to."""
        end = time.monotonic() + longest_s
        while not self.page.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < end, f"{condition} did not come true"
            self.page.wait_for_timeout(50)

    def foreign(self) -> list[str]:
        """Return what was asked of any other host."""
        return [one.url for one in self.requests if not one.url.startswith((self.base, "data:"))]

    def refused(self) -> list[str]:
        """Return what the policy refused."""
        found: list[str] = self.page.evaluate("window.refused")
        return found


# ends with the folder: while Playwright runs, no other test of this process may run a loop
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    found = which("chromium") or which("chromium-browser")
    if found is None:
        pytest.fail("chromium is missing: apt-get install chromium fonts-noto-cjk")
    assets.copy_assets()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=ARGUMENTS, timeout=2000 * PATIENT_S
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def wall_database(server: Server, template: str) -> Iterator[Database]:
    """The made-up county with hostile names planted in it; tests may add to it."""
    name = f"{template}_wall"
    server.ensure_database(name, template=template)
    database = Database(server.url("gis_service", name), server.url("gis_owner", name))
    fill(database)
    owner = create_engine(sqlalchemy_url(database.owner_url))
    with owner.begin() as connection:
        plant(connection)
    owner.dispose()
    yield database
    server.drop_database(name)


@pytest.fixture(scope="session")
def service(wall_database: Database) -> Iterator[Client]:
    """The service that the browser looks at."""
    with (
        tempfile.TemporaryDirectory(prefix="gis-wall-") as folder,
        # nothing is computed anew while pictures are compared
        serving(wall_database, Path(folder), refresh_interval_s=3600) as client,
    ):
        yield client


def signed_in(
    browser: Browser, service: Client, role: str, width: int, height: int
) -> BrowserContext:
    """Return a window of its own, signed in as a role."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    context.set_default_timeout(1000 * PATIENT_S)
    context.add_init_script(LISTEN)
    page = context.new_page()
    page.goto(f"{service.base_url}/sign-in/{token_of(service.settings, role)}?next=/health")
    page.close()
    return context


def watched(context: BrowserContext, service: Client) -> Watched:
    """Return a new page of a window that is listened to from its first request."""
    page = context.new_page()
    seen = Watched(page, str(service.base_url).rstrip("/"))
    page.on("request", lambda request: seen.requests.append(request))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            seen.complaints.append(said.text) if said.type in {"error", "warning"} else None
        ),
    )
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on(
        "Network.loadingFinished", lambda event: seen.weight.append(event["encodedDataLength"])
    )
    return seen


@pytest.fixture
def wall(browser: Browser, service: Client) -> Iterator[Watched]:
    """A page on a 1080p screen, signed in as the command centre."""
    context = signed_in(browser, service, "command", 1920, 1080)
    yield watched(context, service)
    context.close()
