"""Alerts on the wall: read by all who see incidents, acknowledged by those who may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Watched, signed_in, watched
from tests.serving import Client


@pytest.fixture
def alert_wall(browser: Browser, service: Client) -> Iterator[Watched]:
    """A village centre's wall on an office screen."""
    context = signed_in(browser, service, "command", 1920, 1080)
    yield watched(context, service)
    context.close()


@pytest.mark.parametrize("size", [(1920, 1080), (390, 844)], ids=["1080p", "phone"])
def test_who_may_not_act_reads_and_has_no_button(
    browser: Browser, service: Client, size: tuple[int, int]
) -> None:
    context = signed_in(browser, service, "leader", *size)
    wall = watched(context, service)
    wall.open()
    expect(wall.page.locator(".alerts li")).to_have_count(1)
    expect(wall.page.locator(".alerts button.act")).to_have_count(0)
    assert wall.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (wall.foreign(), wall.refused(), wall.complaints) == ([], [], [])
    context.close()


def test_who_sees_no_incidents_has_no_alerts_and_nothing_is_asked(
    browser: Browser, service: Client
) -> None:
    context = signed_in(browser, service, "planner", 1920, 1080)
    wall = watched(context, service)
    wall.open()
    expect(wall.page.locator(".alerts")).to_be_hidden()
    assert not [one.url for one in wall.requests if "/api/alerts" in one.url]
    assert wall.complaints == []
    context.close()


def test_an_alert_is_acknowledged_and_its_measure_written_on_the_wall(
    alert_wall: Watched,
) -> None:
    page = alert_wall.page
    alert_wall.open()
    alert = page.locator(".alerts li").first
    expect(alert.locator(".state")).to_have_text("待签收")
    expect(alert.locator(".phase")).to_have_text("新出现")
    page.locator(".language button").click()
    expect(alert.locator(".state")).to_have_text("To be acknowledged")
    expect(alert.locator(".phase")).to_have_text("New")
    alert.locator("button.act").click()
    expect(alert.locator(".state")).to_have_text("Acknowledged")
    alert.locator("button.act").click()
    page.locator(".alerts textarea").fill("<b>夜间巡查</b>${7*7}")
    page.locator(".alerts .form button.act").click()
    expect(alert.locator(".state")).to_have_text("Measure taken")
    expect(alert.locator(".measure")).to_contain_text("<b>夜间巡查</b>${7*7}")
    expect(alert.locator("button.act")).to_have_count(0)
    assert (alert_wall.foreign(), alert_wall.refused(), alert_wall.complaints) == ([], [], [])
