"""Pages as PDF: laid out in a child process with bounds, a few at once, the others in a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from grid_boundaries.errors import TooLarge, Unavailable
from layers.load.child import run_child
from layers.load.limits import MEGABYTE, Limits
from map_ui.base import Page
from map_ui.paper.page import style_files
from map_ui.paper.pdf_child import MISSING
from map_ui.paper.places import Places

CHILD = Path(__file__).with_name("pdf_child.py")
AT_ONCE = 2
MOST_WAITING = 24  # each holds a thread of the service, which has forty
LARGEST_PAGE_BYTES = 12 * MEGABYTE
LIMITS = Limits(reader_memory_bytes=2_048 * MEGABYTE, reader_cpu_s=60, reader_wall_s=90)
BEGIN = b"%PDF-"


class Printer:
    """Makes PDFs, a few at a time.

    Parameters
    ----------
    limits
        Of memory and time of one of them.
    """

    def __init__(self, limits: Limits = LIMITS, at_once: int = AT_ONCE) -> None:
        self._limits = limits
        self.places = Places(at_once)

    def pdf(
        self,
        page: Page,
        *,
        wait_s: float = 0.0,
        most_waiting: int = MOST_WAITING,
        has_left: Callable[[], bool] = lambda: False,
    ) -> bytes:
        """Return a page of `map_ui.paper.page` as PDF, its fonts embedded.

        Parameters
        ----------
        wait_s, most_waiting, has_left
            While others are printed; see `Places.place`.

        Raises
        ------
        TooLarge
            The page is too large, or takes longer or more memory than it may.
        Unavailable
            Others are printed for longer, or the system's Pango library is missing.
        """
        given = _given(page)
        with self.places.place(wait_s=wait_s, most_waiting=most_waiting, has_left=has_left):
            written, ended_well = run_child(CHILD, [], self._limits, given=given)
        return read_child(written, ended_well=ended_well)


def _given(page: Page) -> bytes:
    files = {address: content.decode() for address, content in style_files(page).items()}
    given = json.dumps({"html": page.html, "files": files}).encode()
    if len(given) > LARGEST_PAGE_BYTES:
        raise _too_large()
    return given


def read_child(written: bytes, *, ended_well: bool) -> bytes:
    """Return the PDF that a child wrote.

    Raises
    ------
    TooLarge
        It did not end well: it came to a bound.
    Unavailable
        It found no Pango.
    """
    if written.startswith(MISSING):
        raise Unavailable(
            "no-pango",
            "服务器缺少排版库 Pango，无法生成 PDF；请安装 libpango-1.0-0 与 libpangoft2-1.0-0，"
            "或直接打印网页",
            "The server lacks the Pango library, so no PDF can be made; install libpango-1.0-0 and"
            " libpangoft2-1.0-0, or print the page itself",
            library=written[len(MISSING) :].decode(errors="replace"),
        )
    if not ended_well or not written.startswith(BEGIN):
        raise _too_large()
    return written


def _too_large() -> TooLarge:
    return TooLarge(
        "page-too-large",
        "内容过多，无法生成 PDF；请直接打印网页，或按镇分开编制方案",
        "This is too much for one PDF; print the page itself, or make a plan for each town",
    )
