"""The report of a load at the terminal: rows in, loaded and rejected, and what was found."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from layers.coverage.suspect_words import TITLES
from layers.load.reasons import REASONS
from layers.load.run import LoadReport


def show_report(console: Console, report: LoadReport) -> None:
    """Print the counts per source, the findings by kind, and every assumed value."""
    console.print(_counts(report))
    console.print(_found(report))
    for source, values in report.assumed().items():
        said = ", ".join(f"{name} = {value}" for name, value in values.items())
        console.print(f"假定 assumed · {escape(source)}: {escape(said)}", soft_wrap=True)


def _counts(report: LoadReport) -> Table:
    counts = Table(
        "来源 source", "图层 layer", "行数 rows", "装载 loaded", "拒绝 rejected", "原因 reasons"
    )
    for row in report.counts.to_dict("records"):
        reasons = ", ".join(f"{code} {count}" for code, count in row["reasons"].items())
        cells = (row[name] for name in ("source", "layer", "rows_in", "loaded", "rejected"))
        counts.add_row(*(escape(str(cell)) for cell in cells), escape(reasons))
    return counts


def _found(report: LoadReport) -> Table:
    found = Table("图层 layer", "问题 finding", "数量 count", "")
    for (layer, code), count in sorted(report.findings_by_code().items()):
        zh, en = REASONS.get(code) or TITLES.get(code, (code, code))
        found.add_row(escape(layer), escape(code), str(count), f"{zh} · {en}")
    return found
