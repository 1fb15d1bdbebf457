"""Papers of plans through HTTP over a real database: report, hand-over lists, public map."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import create_engine, insert, text, update

from gis_service.access import RIGHTS_OF_ROLE
from gis_service.database import Database
from grid_boundaries.tables import metadata
from layers.buildings import building
from layers.people import household, person
from layers.postings import posting
from map_ui.paper.change_report import COUNTS
from map_ui.texts import LANGUAGES
from map_ui.texts import text as words
from tests.browser.hostile import TEXT
from tests.county import ROLES, VILLAGES
from tests.gis_service.test_plans import (
    BLOCK_9,
    BLOCK_10,
    BLOCK_11,
    GRID_1,
    GRID_2,
    MIDDLE_OF_10,
    drawn,
    get,
    post,
    source,
    started,
)
from tests.map_ui.test_papers import cells
from tests.serving import Client, sqlalchemy_url

MAY = sorted(role for role in ROLES if "plans" in RIGHTS_OF_ROLE[role])
VILLAGE = VILLAGES[0]
OTHER_GRID = f"{VILLAGES[1]}001"


def asked(client: Client, address: str, role: str = "planner") -> httpx.Response:
    return client.get(address, headers=client.by(role))


def page(client: Client, address: str, role: str = "planner") -> str:
    answer = asked(client, address, role)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


def pdf(client: Client, address: str) -> PdfReader:
    answer = asked(client, address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(answer.content))


def moved_plan(client: Client, *blocks: str, **more: Any) -> int:
    """Return a plan that gives blocks of 西社区 (block 10) to its second grid."""
    plan = started(client, **more)
    drawn(client, plan, 0, kind="move", blocks=list(blocks or [BLOCK_10]), to=GRID_2)
    return plan


def of_worker(found: Any, worker: str | None) -> Any:
    (one,) = [one for one in found["workers"] if one["worker"] == worker]
    return one


def ids(side: Any, kind: str) -> list[str]:
    return [item["id"] for item in side["items"] if item["kind"] == kind]


def changed(database: Database, *statements: Any) -> None:
    """Write to the county as the owner of its tables."""
    engine = create_engine(sqlalchemy_url(database.owner_url))
    with engine.begin() as connection:
        connection.execute(text("select set_config('gis.scope', '/', true)"))
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


# ---- the change report


def rows_of(html: str) -> list[list[str]]:
    """Return the cells of a page's tables."""
    return cells(type("Shown", (), {"html": html})())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_has_the_numbers_that_the_plan_answers(
    own_client: Client, language: str
) -> None:
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    rows = rows_of(page(own_client, f"/plans/{plan}/report?lang={language}"))
    for change in told["numbers"]:
        head = next(at for at, row in enumerate(rows) if change["grid"] in row[0])
        for row, when, skip in ((rows[head], "before", 2), (rows[head + 1], "after", 1)):
            figures = change[when]
            assert row[skip - 1] == words(language, f"report.{when}")
            assert row[skip : skip + len(COUNTS)] == [f"{figures[name]:,}" for name in COUNTS]
            assert row[skip + len(COUNTS)] == f"{figures['area_m2'] / 1e6:,.3f}"


def test_the_report_says_what_changes_grids_in_all(own_client: Client) -> None:
    plan = moved_plan(own_client, BLOCK_9, BLOCK_10)
    totals = get(own_client, f"/plans/{plan}/diff")["totals"]
    html = page(own_client, f"/plans/{plan}/report")
    shown = re.findall(r"<li><b>([\d,]+)</b> ([^<]+)</li>", html)
    assert {name.strip(): int(n) for n, name in shown} == {
        "涉及网格": 2,
        "划转图斑": totals["blocks"],
        **{words("zh", f"count.{name}"): totals[name] for name in COUNTS},
    }


def test_the_report_draws_the_village_before_and_after(own_client: Client) -> None:
    html = page(own_client, f"/plans/{moved_plan(own_client)}/report")
    titles = re.findall(r"<svg[^>]*><title>([^<]+)</title>", html)
    assert titles == ["西社区：调整前", "西社区：调整后"]
    assert "图斑 1 个，4 人，2 户" in html


def test_a_plan_over_two_villages_has_the_maps_of_both(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_9], to=OTHER_GRID)
    html = page(own_client, f"/plans/{plan}/report")
    assert html.count('<svg class="map"') == 4
    assert "西社区：调整前" in html
    assert "西北村：调整前" in html


def test_a_plan_without_strokes_has_a_report(own_client: Client) -> None:
    plan = started(own_client)
    assert words("zh", "report.nothing") in page(own_client, f"/plans/{plan}/report")
    assert get(own_client, f"/plans/{plan}/handover")["workers"] == []
    assert words("zh", "handover.nothing") in page(own_client, f"/plans/{plan}/handover")
    assert len(pdf(own_client, f"/api/plans/{plan}/report.pdf").pages) == 1


def test_grids_that_come_and_go_are_in_the_report(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="create", name="新建网格", blocks=[BLOCK_10, BLOCK_11])
    drawn(own_client, plan, 1, kind="merge", grids=[GRID_1], into=GRID_2)
    rows = rows_of(page(own_client, f"/plans/{plan}/report"))
    new = next(row for row in rows if row and row[0].startswith("新建网格"))
    assert new[2] == words("zh", "report.absent_before")
    assert words("zh", "report.code_to_come") in new[0]
    gone = next(at for at, row in enumerate(rows) if row and GRID_1 in row[0])
    assert rows[gone + 1][1] == words("zh", "report.absent_after")


def test_steps_faults_and_acceptance_are_told_by_name(own_client: Client) -> None:
    tight = {"village": {"measure": "people", "at_least": 8, "at_most": 100}}
    plan = moved_plan(own_client, rules=tight)
    (fault,) = [one for one in get(own_client, f"/plans/{plan}/checks")["faults"]
                if not one["inherited"]]  # fmt: skip
    html = page(own_client, f"/plans/{plan}/report")
    assert [fault["zh"], "可接受", "未接受"] in rows_of(html)
    post(own_client, f"/{plan}/submit", base_version=1, accept=[fault["key"]])
    post(own_client, f"/{plan}/approve", "approver", base_version=2)
    rows = rows_of(page(own_client, f"/plans/{plan}/report"))
    assert [fault["zh"], "可接受", "planner"] in rows
    steps = {row[0]: row for row in rows if row and row[0] in {"起草", "提交", "批准", "发布"}}
    assert [steps[name][1] for name in ("起草", "提交", "批准", "发布")] == [
        "planner", "planner", "approver", "—"
    ]  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", steps["批准"][2])


@pytest.mark.parametrize("cut", [False, True])
def test_a_published_plan_keeps_its_report_and_hand_over(own_client: Client, cut: bool) -> None:
    plan = started(own_client)
    version = 0
    if cut:
        drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
        version = 1
    blocks = [f"{BLOCK_10}.2"] if cut else [BLOCK_10]
    drawn(own_client, plan, version, kind="move", blocks=blocks, to=GRID_2)
    before = get(own_client, f"/plans/{plan}/handover")
    post(own_client, f"/{plan}/submit", base_version=version + 1)
    post(own_client, f"/{plan}/approve", "approver", base_version=version + 2)
    post(own_client, f"/{plan}/publish", base_version=version + 3)
    after = get(own_client, f"/plans/{plan}/handover")
    assert after["workers"] == before["workers"]
    rows = rows_of(page(own_client, f"/plans/{plan}/report"))
    (published,) = [row for row in rows if row and row[0] == "发布"]
    assert published[1] == "planner"
    assert [row[2] for row in rows if row and GRID_1 in row[0]] == ["8"]


def test_a_hostile_name_is_text_on_every_paper(own_client: Client) -> None:
    odd = f"险{TEXT}"[:200]
    plan = started(own_client, title=odd)
    drawn(own_client, plan, 0, kind="create", name=odd, blocks=[BLOCK_10])
    for address in (f"/plans/{plan}/report", f"/plans/{plan}/handover",
                    f"/public/{VILLAGE}/map?plan={plan}"):  # fmt: skip
        html = page(own_client, address)
        assert "{{7*7}}" in html
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;" in html
    reader = pdf(own_client, f"/api/plans/{plan}/report.pdf")
    assert "{{7*7}}" in "".join(one.extract_text() for one in reader.pages)
    name = asked(own_client, f"/api/plans/{plan}/report.pdf").headers["content-disposition"]
    assert re.fullmatch(r"inline; filename=\"plan-\d+-report.pdf\"; filename\*=UTF-8''[\w.%~-]+",
                        name)  # fmt: skip


# ---- PDF


def fonts(reader: PdfReader) -> list[Any]:
    """Return the font descriptors of all pages."""
    found = []
    for one in reader.pages:
        resources: Any = one["/Resources"].get_object()
        for font in resources["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            found.append(below["/FontDescriptor"].get_object())
    return found


def links(reader: PdfReader) -> list[Any]:
    """Return where the notes on the pages lead to."""
    return [note.get_object().get("/A") for one in reader.pages for note in one.get("/Annots", [])]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_as_pdf_is_chinese_text_in_embedded_fonts(
    own_client: Client, language: str
) -> None:
    plan = moved_plan(own_client)
    reader = pdf(own_client, f"/api/plans/{plan}/report.pdf?lang={language}")
    said = "".join(one.extract_text() for one in reader.pages)
    assert "调整西社区" in said
    assert words(language, "report.table") in said
    assert f"1 / {len(reader.pages)}" in said
    assert 1 <= len(reader.pages) <= 3
    assert all(any(f"/FontFile{kind}" in font for kind in ("", "2", "3")) for font in fonts(reader))
    assert any("CJK" in font["/FontName"] for font in fonts(reader))
    assert links(reader) == []
    width, height = (float(side) * 25.4 / 72 for side in reader.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)


def test_every_further_page_has_the_plans_name_at_its_head(own_client: Client) -> None:
    plan = moved_plan(own_client, BLOCK_9, BLOCK_10, title="一个很长的方案名称")
    reader = pdf(own_client, f"/api/plans/{plan}/report.pdf")
    assert len(reader.pages) > 1
    assert all("一个很长的方案名称" in one.extract_text() for one in reader.pages)


@pytest.mark.parametrize(("paper", "sides"), [("a4", {210, 297}), ("a3", {297, 420})])
def test_a_public_map_is_one_sheet_of_the_size_asked_for(
    client: Client, paper: str, sides: set[int]
) -> None:
    reader = pdf(client, f"/public/{VILLAGE}/map.pdf?paper={paper}")
    assert len(reader.pages) == 1
    assert {round(float(side) * 25.4 / 72) for side in reader.pages[0].mediabox[2:]} == sides
    assert "西社区网格公示图" in reader.pages[0].extract_text()


# ---- hand-over lists


def test_the_hand_over_names_what_stands_in_the_block_and_who_gives_it(own_client: Client) -> None:
    found = get(own_client, f"/plans/{moved_plan(own_client)}/handover")
    # two workers hold each grid: W…9 and W…10 the first, W…11 and W…12 the second
    assert [one["worker"] for one in found["workers"]] == [f"W0000{n:02d}" for n in (9, 10, 11, 12)]
    giver, receiver = of_worker(found, "W000009"), of_worker(found, "W000012")
    for side in (giver["gives"], receiver["receives"]):
        assert ids(side, "building") == ["H10"]
        assert ids(side, "key_place") == ["P10"]
        assert ids(side, "camera") == ["K10"]
        assert ids(side, "incident") == ["I0101", "I0102"]  # the third is closed
    assert giver["receives"]["items"] == receiver["gives"]["items"] == []
    assert [post["grid"] for post in giver["posts"]] == [GRID_1]
    assert found["basis"]["en"] == "present population"


def test_a_cut_block_hands_over_what_stands_in_the_piece(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(own_client, plan, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    side = of_worker(get(own_client, f"/plans/{plan}/handover"), "W000009")["gives"]
    # the camera stands at 0.6 of the width, house and school at 0.4 and 0.3
    assert (ids(side, "camera"), ids(side, "building"), ids(side, "key_place")) == (["K10"], [], [])
    assert side["people"] == 0


def test_the_pieces_of_a_block_hand_over_everything_that_stands_in_it_once(
    own_client: Client,
) -> None:
    whole = get(own_client, f"/plans/{moved_plan(own_client)}/handover")
    found: list[Any] = []
    for piece in (f"{BLOCK_10}.1", f"{BLOCK_10}.2"):
        plan = started(own_client)
        drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
        drawn(own_client, plan, 1, kind="move", blocks=[piece], to=GRID_2)
        side = of_worker(get(own_client, f"/plans/{plan}/handover"), "W000009")["gives"]
        found += [(item["kind"], item["id"]) for item in side["items"]]
    items = of_worker(whole, "W000009")["gives"]["items"]
    # one incident stands on the cut itself
    assert sorted(found) == sorted((item["kind"], item["id"]) for item in items)


def test_small_groups_of_people_are_hidden_and_large_ones_told(
    own_client: Client, county_database: Database
) -> None:
    more = [
        {"id": f"N10-{n}", "household_id": "F0101", "name": "某人", "present": True,
         "registered": True, "usual": True, "unit_path": f"/610999/610999100/{VILLAGE}/",
         "block_id": BLOCK_10, "grid_code": GRID_1}
        for n in range(9)
    ]  # fmt: skip
    plan = moved_plan(own_client)
    side = of_worker(get(own_client, f"/plans/{plan}/handover"), "W000009")["gives"]
    assert side["people"] is None
    assert [group["people"] for group in side["groups"]] == [None]
    changed(county_database, insert(person).values(more))
    side = of_worker(get(own_client, f"/plans/{plan}/handover"), "W000009")["gives"]
    assert (side["people"], side["households"]) == (13, None)
    assert [(one["kind"], one["id"], one["people"]) for one in side["groups"]] == [
        ("building", "H10", 13)
    ]


def test_a_villagers_group_comes_before_the_building(
    own_client: Client, county_database: Database
) -> None:
    group = metadata.tables["villagers_group"]
    path = f"/610999/610999100/{VILLAGE}/"
    row = {"id": "Z1", "village_code": VILLAGE, "name": "第一村民小组", "unit_path": path}
    inside = household.c.unit_path == path
    changed(county_database, insert(group).values(row),
            update(household).where(inside).values(group_id="Z1"))  # fmt: skip
    plan = moved_plan(own_client, BLOCK_9, BLOCK_10)
    (one,) = get(own_client, f"/plans/{plan}/diff")["groups"]
    assert (one["kind"], one["id"], one["name"]) == ("group", "Z1", "第一村民小组")
    assert (one["people"], one["households"]) == (8, None)
    assert (one["from_grid"], one["to_grid"]) == (GRID_1, GRID_2)
    assert one["from_workers"] == ["W000009", "W000010"]
    assert one["to_workers"] == ["W000011", "W000012"]
    assert "第一村民小组" in page(own_client, f"/plans/{plan}/report")


def test_households_of_a_worker_of_both_grids_do_not_change_hands(
    own_client: Client, county_database: Database
) -> None:
    path = f"/610999/610999100/{VILLAGE}/"
    both = [
        {"id": f"both{n}", "worker_id": "W000009", "grid_code": code, "role": "chief",
         "unit_path": path, "valid_from": datetime(2020, 1, 1).date()}
        for n, code in enumerate((GRID_1, GRID_2))
    ]  # fmt: skip
    gone = posting.c.grid_code.in_([GRID_1, GRID_2])
    changed(county_database, posting.delete().where(gone), insert(posting).values(both))
    plan = moved_plan(own_client)
    found = get(own_client, f"/plans/{plan}/diff")
    assert (found["groups"], found["workers"]) == ([], [])
    assert found["totals"]["people"] == 4
    assert get(own_client, f"/plans/{plan}/handover")["workers"] == []


def test_what_goes_to_a_grid_without_a_worker_is_told_apart(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="create", name="新网格", blocks=[BLOCK_10])
    found = get(own_client, f"/plans/{plan}/handover")
    assert [one["worker"] for one in found["workers"]] == ["W000009", "W000010", None]
    nobody = of_worker(found, None)
    assert ids(nobody["receives"], "camera") == ["K10"]
    html = page(own_client, f"/plans/{plan}/handover")
    assert words("zh", "handover.to_nobody") in html
    assert words("zh", "handover.from_nobody") not in html


def test_the_diff_tells_workers_what_they_give_and_receive(own_client: Client) -> None:
    plan = moved_plan(own_client)
    found = get(own_client, f"/plans/{plan}/diff")
    assert [one["worker"] for one in found["workers"]] == [f"W0000{n:02d}" for n in (9, 10, 11, 12)]
    gives = {name: found["totals"][name] for name in found["totals"]}
    assert found["workers"][0]["gives"] == gives
    assert found["workers"][3]["receives"] == gives
    assert set(found["workers"][0]["receives"].values()) == {0}


def test_a_diff_of_two_plans_with_cuts_of_their_own_compares_all_pieces(
    own_client: Client,
) -> None:
    mine, theirs = started(own_client), started(own_client)
    drawn(own_client, mine, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(own_client, mine, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    middle_of_9 = [[x - 0.005, y] for x, y in MIDDLE_OF_10]
    drawn(own_client, theirs, 0, kind="split", block=BLOCK_9, line=middle_of_9)
    drawn(own_client, theirs, 1, kind="move", blocks=[f"{BLOCK_9}.1"], to=GRID_2)
    found = get(own_client, f"/plans/{mine}/diff?against={theirs}")
    assert [(one["block"], one["from_grid"], one["to_grid"]) for one in found["blocks"]] == [
        (f"{BLOCK_9}.1", GRID_2, GRID_1), (f"{BLOCK_10}.2", GRID_1, GRID_2)
    ]  # fmt: skip
    assert found["totals"]["people"] == 4  # all homes of block 9 stand in its western piece


def test_the_diff_of_a_fork_against_its_parent_is_empty(own_client: Client) -> None:
    plan = moved_plan(own_client)
    fork = started(own_client, **source(plan))
    found = get(own_client, f"/plans/{fork}/diff?against={plan}")
    assert (found["groups"], found["workers"], found["blocks"]) == ([], [], [])


def test_the_hand_over_as_csv_has_the_rows_of_the_json(own_client: Client) -> None:
    plan = moved_plan(own_client)
    answer = asked(own_client, f"/api/plans/{plan}/handover?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    _, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    found = get(own_client, f"/plans/{plan}/handover")
    sides = [one[way] for one in found["workers"] for way in ("gives", "receives")]
    assert len(rows) == sum(len(side["items"]) + len(side["groups"]) for side in sides)
    assert {row[3] for row in rows} == {"H10", "P10", "K10", "I0101", "I0102"}


def test_no_person_is_on_any_paper(own_client: Client, county_database: Database) -> None:
    odd = building.update().where(building.c.id == "H10").values(address="一号")
    changed(county_database, odd)
    plan = moved_plan(own_client, BLOCK_9, BLOCK_10)
    own = ("/plans/{}/report", "/plans/{}/handover", "/api/plans/{}/handover",
           "/api/plans/{}/diff", "/api/plans/{}/handover?format=csv")  # fmt: skip
    for address in (*(one.format(plan) for one in own), f"/public/{VILLAGE}/map"):
        body = asked(own_client, address).text
        # names of persons, of households, of workers, of who an incident's title speaks
        for canary in ("某人", "sealed", "N010", "F010", "household10", "worker10", "incident10"):
            assert canary not in body, (address, canary)


# ---- the public map


def test_the_public_map_shows_grids_office_and_nothing_of_people(client: Client) -> None:
    html = page(client, f"/public/{VILLAGE}/map")
    assert "西社区网格公示图" in html
    assert "试县西镇" in html
    listed = re.findall(r"<li><b>([^<]+)</b> <span class=\"code\">(\d+)</span></li>", html)
    assert listed == [("网格001", GRID_1), ("网格002", GRID_2)]
    assert "综治中心" in html
    assert "人口" not in html
    assert re.search(r"(?<!\d)1\d{10}(?!\d)", html) is None


def test_the_public_map_of_a_plan_says_that_it_is_a_draft(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="merge", grids=[GRID_1], into=GRID_2)
    html = page(own_client, f"/public/{VILLAGE}/map?plan={plan}")
    assert words("zh", "poster.draft").format(n=plan) in html
    assert GRID_1 not in html
    assert GRID_2 in html
    assert f"&amp;plan={plan}" in html
    whole = page(own_client, f"/public/{VILLAGE}/map")
    assert GRID_1 in whole


@pytest.mark.parametrize(
    "address",
    [
        "/plans/999/report", "/api/plans/999/report.pdf", "/plans/999/handover",
        "/api/plans/999/handover", "/public/610999100999/map", "/public/610999100999/map.pdf",
        "/public/610999/map", "/public/610999100001/map?plan=999",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_404(client: Client, address: str) -> None:
    answer = asked(client, address)
    assert answer.status_code == 404
    assert answer.json()["zh"]


@pytest.mark.parametrize(
    "address",
    [
        "/plans/0/report", "/plans/x/report", "/plans/1/report?lang=fr",
        "/api/plans/1/handover?format=xml", "/public/610999100001/map?paper=a5",
        "/public/610999100001/map?plan=-1", "/public/610999100001/map?plan=1e9",
    ],
)  # fmt: skip
def test_an_address_that_says_nothing_sensible_is_refused(client: Client, address: str) -> None:
    assert asked(client, address).status_code in {400, 404, 422}


def test_a_village_of_another_plan_is_not_in_this_one(own_client: Client) -> None:
    plan = started(own_client, unit=VILLAGES[2])
    answer = asked(own_client, f"/public/{VILLAGE}/map?plan={plan}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-village")


ADDRESSES = [
    "/plans/1/report", "/api/plans/1/report.pdf", "/plans/1/handover", "/api/plans/1/handover",
    f"/public/{VILLAGE}/map", f"/public/{VILLAGE}/map.pdf",
]  # fmt: skip


@pytest.mark.parametrize("role", [role for role in ROLES if role not in MAY])
@pytest.mark.parametrize("address", ADDRESSES)
def test_only_those_who_work_on_plans_see_their_papers(
    client: Client, address: str, role: str
) -> None:
    answer = asked(client, address, role)
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_sees_them_without_signing_in(client: Client, address: str) -> None:
    answer = client.get(f"{address}?lang=en", follow_redirects=False)
    if address.startswith("/api/") or address.endswith(".pdf"):
        assert answer.status_code == 401
    else:  # a person is sent to sign in, and from there back to the page
        assert answer.status_code == 303
        assert unquote(answer.headers["location"]) == f"/?next={address}?lang=en"


def test_planners_and_approvers_may() -> None:
    assert MAY == ["approver", "planner"]


def test_the_page_is_known_by_its_tag_until_it_changes(client: Client) -> None:
    first = asked(client, f"/public/{VILLAGE}/map")
    known = {**client.by("planner"), "If-None-Match": first.headers["etag"]}
    assert client.get(f"/public/{VILLAGE}/map", headers=known).status_code == 304
    english = asked(client, f"/public/{VILLAGE}/map?lang=en")
    assert english.headers["etag"] != first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    made = asked(client, f"/public/{VILLAGE}/map.pdf")
    assert made.headers["cache-control"] == "no-store"
