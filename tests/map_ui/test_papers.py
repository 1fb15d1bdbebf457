"""Papers as text: numbers as given, everything escaped, nothing inline, nothing foreign."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from layers.handover.lists import KINDS
from layers.registry import LAYERS
from map_ui import base
from map_ui.assets import STATIC
from map_ui.externalise import REFUSED
from map_ui.paper.change_report import COUNTS, change_report_page
from map_ui.paper.handover_page import COLUMNS, handover_csv, handover_page, item_facts
from map_ui.paper.page import (
    TEMPLATES,
    area_words,
    count_words,
    day_words,
    moment_words,
    style_files,
    templates,
    words,
)
from map_ui.paper.village_poster import Paper, poster_page
from map_ui.texts import LANGUAGES, text, texts
from tests.map_ui.paper import EAST_CODE, NOW, WEST_CODE, handover, poster, report
from tests.map_ui.test_pages import HOSTILE, Reader, addresses

PAPERS: dict[str, Callable[[str, str], base.Page]] = {
    "report": lambda words, language: change_report_page(report(words), language),
    "handover": lambda words, language: handover_page(handover(words), language),
    "poster a4": lambda words, language: poster_page(poster(words), language, "a4"),
    "draft a3": lambda words, language: poster_page(poster(words, plan=7), language, "a3"),
}
EVERY = [(name, language) for name in PAPERS for language in LANGUAGES]


def said(page: base.Page) -> str:
    """Return the words that a reader sees, single spaces between them."""
    return " ".join(" ".join(Reader(page).words).split())


def cells(page: base.Page) -> list[list[str]]:
    """Return the rows of all tables as the texts of their cells."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.html, flags=re.DOTALL)
    return [
        [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
         for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)]
        for row in rows
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_a_paper_has_nothing_inline_and_asks_no_other_host(name: str, language: str) -> None:
    page = PAPERS[name]("西北村", language)
    assert not REFUSED.search(page.html)
    assert "<script" not in page.html
    assert all(address.startswith("/static/") for address in addresses(page))
    assert "//" not in page.html.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", list(PAPERS))
def test_a_hostile_name_is_shown_as_it_is_written(name: str, hostile: str) -> None:
    plain, odd = PAPERS[name]("西北村", "zh"), PAPERS[name](hostile, "zh")
    kinds = [{tag for tag, _ in Reader(page).tags} for page in (plain, odd)]
    assert kinds[0] == kinds[1]
    handlers = [key for _, attributes in Reader(odd).tags for key in attributes if key[:2] == "on"]
    assert handlers == []
    assert " ".join(hostile.split()) in said(odd)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_a_paper_says_its_language(name: str, language: str) -> None:
    page = PAPERS[name]("X", language)
    assert Reader(page).attributes("html")["lang"] == {"zh": "zh-CN", "en": "en"}[language]
    chinese = re.compile(r"[\u4e00-\u9fff]")
    made_up = {"第一网格", "第二网格", "新网格", "旧网格", "西北村"}
    if language == "en":
        found = [word for word in Reader(page).words if chinese.search(word)]
        assert {word.strip() for word in found if not any(one in word for one in made_up)} == set()


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_same_paper_is_the_same_bytes(name: str, language: str) -> None:
    assert PAPERS[name]("西北村", language) == PAPERS[name]("西北村", language)


@pytest.mark.parametrize("name", list(PAPERS))
def test_headings_follow_one_another_and_tables_say_what_their_columns_are(name: str) -> None:
    tags = Reader(PAPERS[name]("西北村", "zh")).tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    assert [tag for tag, _ in tags].count("main") == 1


def test_the_style_of_a_paper_comes_with_it() -> None:
    files = style_files(change_report_page(report(), "zh"))
    (style,) = files.values()
    assert b"@page" in style
    assert b"url(" not in style
    assert b"@import" not in style


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_has_the_numbers_of_the_plan(language: str) -> None:
    rows = cells(change_report_page(report(), language))
    before, after = (text(language, f"report.{word}") for word in ("before", "after"))
    old = next(row for row in rows if before in row and "1,520" in row)
    new = next(row for row in rows if after in row and "1,400" in row)
    assert old[2 : 2 + len(COUNTS)] == ["1,520", "7", "7", "7", "7", "7"]
    assert new[1 : 1 + len(COUNTS)] == ["1,400", "7", "7", "7", "7", "7"]
    assert old[2 + len(COUNTS)] == "0.360"
    assert text(language, "band.over") in old[-1]
    assert text(language, "band.within") in new[-1]
    rule = report().grids[0].rule
    assert rule is not None
    assert rule[language == "en"] in new[-1]


def test_only_what_changes_is_marked_as_changed() -> None:
    html = change_report_page(report(), "zh").html
    assert re.findall(r'class="number changed">([^<]+)<', html) == ["1,520", "1,400"]


def test_a_grid_that_comes_or_goes_says_so_and_has_no_figures_there() -> None:
    words_said = said(change_report_page(report(), "zh"))
    for key in ("report.absent_before", "report.absent_after", "report.code_to_come",
                "report.no_rule"):  # fmt: skip
        assert text("zh", key) in words_said, key


def test_the_basis_of_the_figures_is_printed_beside_them() -> None:
    page = change_report_page(report(), "zh")
    assert "人口按实有人口统计" in said(page)


def test_who_made_approved_and_accepted_is_told() -> None:
    made = report()
    steps = [*made.steps, replace(made.steps[0], what="approved", who="李审批")]
    rows = cells(change_report_page(replace(made, steps=steps), "zh"))
    assert ["批准", "李审批", "2026-03-02 10:00", ""] in rows
    assert ["提交", "—", "—", ""] in rows
    assert ["调整西北村", "可接受", "调整西北村"] in rows


def test_faults_say_what_became_of_them() -> None:
    made = report()
    (fault,) = made.faults
    more = [
        replace(fault, accepted_by=None),
        replace(fault, accepted_by=None, is_inherited=True, severity="hard"),
    ]
    rows = cells(change_report_page(replace(made, faults=more), "zh"))
    assert [row[1:] for row in rows if row[0] == "调整西北村" and len(row) == 3] == [
        ["可接受", "未接受"], ["必须处理", "原有问题"]
    ]  # fmt: skip
    assert text("zh", "report.no_faults") in said(
        change_report_page(replace(made, faults=[]), "zh")
    )


def test_an_empty_plan_has_a_report_that_says_so() -> None:
    empty = replace(report(), grids=[], groups=[], faults=[], villages=[], without_map=[])
    page = change_report_page(empty, "zh")
    assert text("zh", "report.nothing") in said(page)
    assert "<svg" not in page.html


def test_every_village_has_its_two_maps_and_ids_are_not_used_twice() -> None:
    html = change_report_page(report(villages=3), "zh").html
    assert html.count('<svg class="map"') == 6
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_hidden_count_is_told_as_a_star_and_never_as_a_number() -> None:
    row = next(row for row in cells(change_report_page(report(), "zh")) if "Z1" in row[0])
    assert row[1:3] == ["41", "＊"]
    assert text("zh", "handover.nobody") in row[4]
    assert text("zh", "paper.small").format(n=5) in said(change_report_page(report(), "zh"))


def test_buildings_are_summed_up_for_a_meeting() -> None:
    rows = cells(change_report_page(report(), "zh"))
    assert ["楼栋 14 栋", "30", "80", "调整西北村 W1", "调整西北村 W2"] in rows


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0"), (999, "999"), (1_234_567, "1,234,567"), (None, "＊")]
)
def test_counts_are_grouped_by_thousands(count: int | None, said: str) -> None:
    assert count_words(count) == said


def test_areas_and_days_and_moments_are_figures() -> None:
    assert (area_words(516_000), area_words(0)) == ("0.516", "0.000")
    assert (day_words(date(2026, 3, 2)), day_words(None)) == ("2026-03-02", "—")
    assert (moment_words(NOW), moment_words(None)) == ("2026-03-02 10:00", "—")


def test_nothing_of_a_template_may_be_left_undefined() -> None:
    assert templates().autoescape is True
    with pytest.raises(KeyError):
        words("zh")("no.such.key")


def test_a_hand_over_list_has_a_section_a_worker_and_tells_both_ways() -> None:
    page = handover_page(handover(), "zh")
    heads = re.findall(r"<h2>([^<]+)</h2>", page.html)
    assert heads == ["网格员 W1", "暂无网格员的网格"]
    rows = cells(page)
    things = [row for row in rows if row[0] == "□"]
    assert [row[1] for row in things[:4]] == ["一号楼 一号楼", "一号楼 P1", "一号楼 K1", "I1 I1"]
    assert [row[2] for row in things[:4]] == [
        "2 层", "一号楼", "建成", "事件，红，上报，时限 2026-03-02 10:00"
    ]  # fmt: skip
    assert things[3][3] == "一号楼 → 未划入网格"
    assert "共 6 户、12 人" in said(page)


def test_an_empty_hand_over_says_so() -> None:
    page = handover_page(replace(handover(), lists=[]), "en")
    assert text("en", "handover.nothing") in said(page)


def test_facts_that_are_not_stored_are_left_out() -> None:
    camera, incident = handover().lists[0].gives.items[2:]
    assert item_facts(camera, "en") == ["built"]
    bare = replace(incident, facts={**incident.facts, "due_at": None})
    assert item_facts(bare, "en") == [text("en", "kind.event"), "Red", text("en", "state.reported")]
    house = handover().lists[0].gives.items[0]
    assert item_facts(replace(house, facts={"floors": None}), "zh") == []


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_list_as_csv_is_utf8_with_a_mark_and_has_a_row_a_thing() -> None:
    content = handover_csv(handover(), "zh")
    assert content.startswith(b"\xef\xbb\xbf")
    head, *rows = rows_of(content)
    assert head == [
        "网格员",
        "移交或接收",
        "类别",
        "编号",
        "名称",
        "说明",
        "原网格",
        "新网格",
        "户数",
        "人数",
    ]
    assert len(rows) == 2 * (1 + 4)
    assert rows[0] == [
        "W1",
        "移交",
        "楼栋",
        "一号楼",
        "一号楼",
        "",
        "一号楼",
        "第二网格",
        "＊",
        "12",
    ]
    assert rows[-1][:3] == ["暂无网格员", "接收", "未结事件"]


@pytest.mark.parametrize(
    "formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\u3000=1"]
)
def test_what_a_spreadsheet_would_take_for_a_formula_is_text(formula: str) -> None:
    for row in rows_of(handover_csv(handover(formula), "zh"))[1:]:
        risky = [cell for cell in row if cell.strip(" \u3000\t\r\n")[:1] in set("=+-@＝＋－＠")]
        assert risky == [], row


@pytest.mark.parametrize("odd", ['a,"b"', "a\nb", "甲\r\n乙", "'x", ""])
def test_any_name_comes_back_from_the_csv_as_it_was(odd: str) -> None:
    found = {row[6] for row in rows_of(handover_csv(handover(odd), "zh"))[1:]}
    assert found == {odd or WEST_CODE}


@pytest.mark.parametrize("paper", ["a4", "a3"])
@pytest.mark.parametrize("grids", [1, 2, 12, 40])
def test_a_poster_fits_its_sheet(paper: Paper, grids: int) -> None:
    html = poster_page(poster(grids=grids), "zh", paper).html
    found = re.search(rf'class="paper poster {paper}-(portrait|landscape)"', html)
    assert found is not None
    short, long = {"a4": (190, 277), "a3": (273, 396)}[paper]
    wide, tall = (short, long) if found[1] == "portrait" else (long, short)
    svg = re.search(r'<svg class="map"[^>]* width="([\d.]+)mm" height="([\d.]+)mm"', html)
    assert svg is not None
    assert float(svg[1]) == wide
    assert float(svg[2]) < tall


def test_a_wide_village_lies_and_a_poster_lists_its_grids() -> None:
    page = poster_page(poster(grids=12), "zh", "a4")
    assert 'class="paper poster a4-landscape"' in page.html
    assert len(re.findall(r"<li><b>西北村</b>", page.html)) == 12
    assert page.html.count(text("zh", "poster.special")) == 1


def test_a_poster_tells_no_figure_of_people_and_no_phone() -> None:
    seen = said(poster_page(poster(), "zh"))
    assert text("zh", "count.people") not in seen
    assert text("zh", "count.households") not in seen
    assert re.search(r"\d{11}", seen.replace(WEST_CODE, "").replace(EAST_CODE, "")) is None
    assert text("zh", "poster.phone") in seen


def test_a_draft_says_that_it_is_one() -> None:
    assert text("zh", "poster.draft").format(n=7) in said(poster_page(poster(plan=7), "zh"))
    assert "poster.draft" not in poster_page(poster(), "zh").html
    assert 'class="draft"' not in poster_page(poster(), "zh").html


def test_a_village_without_an_office_has_a_poster_all_the_same() -> None:
    html = poster_page(replace(poster(), office=None), "zh").html
    assert "★" not in html
    assert "<polygon" not in html


NAMED = re.compile(r"""\bt\("([a-z_]+\.[a-z_0-9]+)["\s]*[,)]""")
FAMILIES = {
    "status.": ("draft", "submitted", "approved", "scheduled", "published", "rolled_back"),
    "step.": ("created", "changed", "submitted", "approved", "published"),
    "band.": ("under", "within", "over"),
    "severity.": ("hard", "soft"),
    "group.": ("group", "building", "other"),
    "count.": COUNTS,
    "column.": COLUMNS,
    "camera_state.": tuple(LAYERS["cameras"].style.marks),
    "handover.kind_": KINDS,
    "handover.": ("gives", "receives", "from_nobody", "to_nobody"),
    "report.": ("before", "after", "absent_before", "absent_after"),
}


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_text_that_a_template_names_is_written(template: Path) -> None:
    named = set(NAMED.findall(template.read_text("utf-8")))
    assert named <= set(texts("zh"))
    assert "|safe" not in template.read_text("utf-8").replace(" ", "")
    assert "style=" not in template.read_text("utf-8")


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_value_that_a_paper_tells_has_its_words(family: str) -> None:
    assert [word for word in FAMILIES[family] if f"{family}{word}" not in texts("zh")] == []


@pytest.mark.parametrize("state", ["reported", "dispatched", "handling", "checked", "redo"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_open_incident_of_any_state_has_words(language: str, state: str) -> None:
    incident = handover().lists[0].gives.items[3]
    told = item_facts(replace(incident, facts={**incident.facts, "state": state}), language)
    assert text(language, f"state.{state}") in told


def test_one_style_sheet_serves_screen_and_paper_and_names_its_sheets() -> None:
    sheet = (STATIC / "css/paper.css").read_text("utf-8")
    assert "size: A4;" in sheet
    for name in ("a4-portrait", "a4-landscape", "a3-portrait", "a3-landscape"):
        assert sheet.count(f"@page {name} {{") == 1
        assert f".poster.{name} {{\n    page: {name};" in sheet
    assert "string(plan)" in sheet
    assert "counter(pages)" in sheet
