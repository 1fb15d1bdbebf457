"""Makes a PDF of one page and the files it names; run only as a child, fetches nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# isolated mode leaves the folder of the packages out
sys.path.insert(0, str(Path(__file__).parents[2]))

MISSING = b"missing library: "
BASE = "http://page.invalid"  # no address of anything; the page's own begin with a slash


def main() -> int:
    """Read JSON of a page and its files by address, and write the PDF."""
    from layers.load.harness import bind

    memory_bytes, cpu_s = sys.argv[1:]
    bind(int(memory_bytes), int(cpu_s))
    import json

    try:
        import weasyprint
    except (ImportError, OSError) as error:
        # OSError: the package is there, and the system's Pango is not
        sys.stdout.buffer.write(MISSING + str(error).splitlines()[0].encode()[:200])
        return 1
    given = json.loads(sys.stdin.buffer.read())
    fetcher = fetcher_of(given["files"])
    page = weasyprint.HTML(string=given["html"], url_fetcher=fetcher, base_url=f"{BASE}/")
    sys.stdout.buffer.write(page.write_pdf() or b"")
    return 0


def fetcher_of(files: dict[str, str]) -> Any:
    """Return what gives WeasyPrint the files that came with the page, and nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    def fetch(self: Any, url: str, headers: object = None) -> Any:
        address = url.removeprefix(BASE)
        if not url.startswith(BASE) or address not in files:
            raise ValueError("a printed page fetches nothing")
        kind = {"Content-Type": "text/css; charset=utf-8"}
        return URLFetcherResponse(url, files[address].encode(), kind)

    # a page without its style is no page to hand out
    return type("Given", (URLFetcher,), {"fetch": fetch})(fail_on_errors=True)


if __name__ == "__main__":
    sys.exit(main())
