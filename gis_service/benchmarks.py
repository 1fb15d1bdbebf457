"""Running of the benchmark modules in `bench/`, and the page that shows their figures."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from grid_boundaries.errors import NotFound

Figures = Mapping[str, object]  # what was measured → number or text, the unit in its name
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def benchmark_names(folder: Path) -> list[str]:
    """Return the modules in `folder` that may be run, in order of name."""
    found = (module.name for module in pkgutil.iter_modules([str(folder / "bench")]))
    return sorted(name for name in found if not name.startswith("_"))


def run_benchmark(folder: Path, name: str) -> Figures:
    """Return what ``bench/<name>.py`` measures: the result of its ``figures()``.

    Raises
    ------
    NotFound
        There is no such module.
    """
    if name not in benchmark_names(folder):
        raise NotFound(
            "no-such-benchmark",
            f"bench/ 里没有“{name}”；可用的有：{'、'.join(benchmark_names(folder))}",
            f"There is no “{name}” in bench/; there are {', '.join(benchmark_names(folder))}",
        )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    figures: Figures = importlib.import_module(f"bench.{name}").figures()
    return figures


def machine() -> str:
    """Return the processor's model and how many of its cores are ours; no host name."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    cores = len(os.sched_getaffinity(0))
    return f"{models[0] if models else 'unknown processor'}, {cores} cores"


def write_figures(folder: Path, measured: Mapping[str, Figures]) -> Path:
    """Keep figures as JSON and put all that are kept into docs/benchmarks.md.

    Returns
    -------
    Path
        The page; its text outside the two markers is left as it is.
    """
    kept = folder / "bench" / "out"
    kept.mkdir(parents=True, exist_ok=True)
    for name, figures in measured.items():
        record = {"machine": machine(), "figures": figures}
        text = json.dumps(record, ensure_ascii=False, indent=2, sort_keys=False)
        (kept / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    page = folder / "docs" / "benchmarks.md"
    page.parent.mkdir(exist_ok=True)
    before = page.read_text(encoding="utf-8") if page.exists() else _empty_page()
    page.write_text(with_table(before, table(kept.glob("*.json"))), encoding="utf-8")
    return page


def with_table(page: str, table_text: str) -> str:
    """Return a page with the text between its two markers replaced."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        head, tail = page.rstrip() + "\n\n", "\n"
    return f"{head}{BEGIN}\n{table_text}{END}{tail}"


def table(records: Iterable[Path]) -> str:
    """Return the Markdown of kept figures, one section a benchmark."""
    return "".join(_section(path) for path in sorted(records))


def _section(path: Path) -> str:
    record = json.loads(path.read_text(encoding="utf-8"))
    rows = "".join(f"| {name} | {_shown(value)} |\n" for name, value in record["figures"].items())
    return f"\n### {path.stem}\n\n{record['machine']}\n\n| what | figure |\n|---|---|\n{rows}\n"


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _empty_page() -> str:
    return (
        "# Benchmarks\n\n`make bench` writes this table. Times are CPU seconds unless a name says"
        f" otherwise.\n\n{BEGIN}\n{END}\n"
    )
