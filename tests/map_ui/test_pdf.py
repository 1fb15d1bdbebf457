"""Pages as PDF: Chinese text in embedded fonts, nothing fetched, bounded in time and size."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from pypdf import PdfReader

from grid_boundaries.errors import TooLarge, Unavailable
from layers.load.limits import MEGABYTE
from map_ui.base import Page
from map_ui.paper.change_report import change_report_page
from map_ui.paper.handover_page import handover_page
from map_ui.paper.pdf import CHILD, LARGEST_PAGE_BYTES, LIMITS, Printer, read_child
from map_ui.paper.pdf_child import BASE, MISSING, fetcher_of
from map_ui.paper.village_poster import Paper, poster_page
from tests.map_ui.paper import handover, poster, report

PRINTER = Printer()


def said(made: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


def with_markup(markup: str) -> Page:
    """Return a report's page with markup of somebody else's put into it."""
    page = change_report_page(report(), "zh")
    return replace(page, html=page.html.replace("<main", f"{markup}<main"))


def test_a_report_of_many_villages_has_page_numbers_and_all_its_words() -> None:
    made = PRINTER.pdf(change_report_page(report(villages=6), "zh"))
    pages = PdfReader(io.BytesIO(made)).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page.extract_text()
    assert said(made).count("①") >= 6


def test_the_title_of_the_paper_is_that_of_the_document() -> None:
    reader = PdfReader(io.BytesIO(PRINTER.pdf(handover_page(handover(), "zh"))))
    assert reader.metadata is not None
    assert reader.metadata.title == "一号楼"
    assert str(reader.root_object["/Lang"]) == "zh-CN"


def test_links_on_the_screen_are_no_links_on_paper() -> None:
    made = PRINTER.pdf(
        change_report_page(report(), "zh", [("/plans/1/handover", "paper.handover")])
    )
    pages = PdfReader(io.BytesIO(made)).pages
    assert all("/Annots" not in page for page in pages)
    assert "交接清单" not in said(made)


@pytest.mark.parametrize(
    ("paper", "grids", "words", "plan"),
    [
        ("a4", 1, "西北村", None),
        ("a4", 24, "城北社区第十二网格", 7),
        ("a3", 30, "城北社区第十二网格", 7),
        ("a3", 2, "一个有很长很长名字的社区综治中心和它的很长的地址", None),
    ],
)
def test_a_poster_is_one_sheet(paper: Paper, grids: int, words: str, plan: int | None) -> None:
    made = PRINTER.pdf(poster_page(poster(words, grids=grids, plan=plan), "zh", paper))
    assert len(PdfReader(io.BytesIO(made)).pages) == 1


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="http://127.0.0.1:{port}/a.png">',
        '<link rel="stylesheet" href="http://127.0.0.1:{port}/a.css">',
        "<style>@import url(http://127.0.0.1:{port}/a.css);</style>",
        '<svg><image href="http://127.0.0.1:{port}/a.svg" width="9" height="9"/></svg>',
        '<img src="file:///etc/passwd">',
        '<object data="http://127.0.0.1:{port}/a.svg"></object>',
    ],
)
def test_nothing_is_fetched_whatever_a_page_names(markup: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        page = with_markup(markup.replace("{port}", str(listening.getsockname()[1])))
        try:
            made = PRINTER.pdf(page)
        except TooLarge:
            made = b""  # the page is refused as a whole
        with pytest.raises(TimeoutError):
            listening.accept()
    assert b"root:" not in made


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1/a.png", "file:///etc/passwd", "data:text/plain,a", "ftp://a/b", "/a.css",
     f"{BASE}/static/0/other.css", ""],
)  # fmt: skip
def test_the_fetcher_gives_the_files_of_the_page_and_nothing_else(address: str) -> None:
    fetcher = fetcher_of({"/static/0/paper.css": "p{}"})
    with pytest.raises(ValueError, match="fetches nothing"):
        fetcher.fetch(address)
    assert fetcher.fetch(f"{BASE}/static/0/paper.css").read() == b"p{}"


def test_a_page_over_the_bound_is_refused_before_anything_is_done() -> None:
    with pytest.raises(TooLarge) as refused:
        Printer(at_once=0).pdf(with_markup("x" * LARGEST_PAGE_BYTES))
    assert refused.value.code == "page-too-large"


def test_what_takes_too_long_is_ended() -> None:
    quick = Printer(replace(LIMITS, reader_cpu_s=1))
    with pytest.raises(TooLarge):
        quick.pdf(change_report_page(report(villages=40), "zh"))


def test_what_takes_too_much_memory_is_ended() -> None:
    with pytest.raises((TooLarge, Unavailable)):
        Printer(replace(LIMITS, reader_memory_bytes=60 * MEGABYTE)).pdf(
            change_report_page(report(), "zh")
        )


def test_while_others_are_printed_one_is_told_to_wait() -> None:
    with pytest.raises(Unavailable) as refused:
        Printer(at_once=0).pdf(change_report_page(report(), "zh"))
    assert refused.value.code == "printer-busy"


def test_a_place_is_free_again_after_a_failure() -> None:
    one = Printer(replace(LIMITS, reader_wall_s=0), at_once=1)
    for _ in range(2):
        with pytest.raises(TooLarge):
            one.pdf(change_report_page(report(), "zh"))


def test_a_missing_library_is_told_in_a_sentence_with_its_remedy() -> None:
    bounds = [str(LIMITS.reader_memory_bytes), str(LIMITS.reader_cpu_s)]
    # an interpreter without the folder of installed packages, which has no WeasyPrint
    child = subprocess.run([sys.executable, "-I", "-S", str(CHILD), *bounds],
                           input=b"{}", capture_output=True, check=False)  # fmt: skip
    assert child.stdout.startswith(MISSING)
    with pytest.raises(Unavailable) as refused:
        read_child(child.stdout, ended_well=child.returncode == 0)
    assert refused.value.code == "no-pango"
    assert "libpango-1.0-0" in refused.value.zh
    assert "weasyprint" in refused.value.where["library"]


@pytest.mark.parametrize(
    ("written", "ended_well"), [(b"", True), (b"%PDF-1.7", False), (b"x", True)]
)
def test_what_is_no_whole_pdf_is_not_handed_out(written: bytes, ended_well: bool) -> None:
    with pytest.raises(TooLarge):
        read_child(written, ended_well=ended_well)


def test_a_whole_pdf_is_handed_out_as_it_is() -> None:
    assert read_child(b"%PDF-1.7 and so on", ended_well=True) == b"%PDF-1.7 and so on"
