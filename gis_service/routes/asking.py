"""What handlers ask for: the running service, the asker, a transaction in the asker's scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request
from sqlalchemy import Connection

from gis_service.access import Asker
from gis_service.database import enter_scope
from gis_service.leaving import asking
from gis_service.running import Running
from grid_boundaries.errors import Malformed, NotAllowed, Unsupported
from grid_boundaries.view import View
from layers.features import Box


def running_of(request: Request) -> Running:
    """Return what this process holds."""
    return cast(Running, request.app.state.running)


def asker_of(request: Request) -> Asker:
    """Return who makes the request; NotSignedIn where nobody does."""
    return running_of(request).access.asker(request)


def box_of(bbox: Annotated[str | None, Query(max_length=200)] = None) -> Box | None:
    """Read ``bbox=west,south,east,north`` in degrees.

    Raises
    ------
    Malformed
        Not four finite numbers, or west beyond east, or south beyond north.
    """
    if bbox is None:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError:
        raise _bad_box() from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _bad_box()
    return (west, south, east, north)


async def json_body(request: Request) -> bytes:
    """Return the body of a JSON request from our own pages or from a program.

    Raises
    ------
    Unsupported
        It is not sent as JSON.
    NotAllowed
        A browser sends it from another site.
    """
    check_origin(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Unsupported(
            "not-json",
            "请以 application/json 发送",
            "Send it as application/json",
            content_type=kind[:100],
        )
    return await request.body()


def check_origin(request: Request) -> None:
    """Refuse what a browser sends from another site.

    Raises
    ------
    NotAllowed
        The request's origin is not the host that it asks.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    # compared as it stands: what is no address at all is foreign, too
    is_foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host")
    if is_foreign or site not in {"same-origin", "none"}:
        raise NotAllowed(
            "other-origin", "不接受其他网站发来的请求", "Requests from other sites are not taken"
        )


@contextmanager
def scoped(running: Running, view: View) -> Iterator[Connection]:
    """Give a transaction in which the database, too, knows who asks."""
    with running.engine.begin() as connection, asking().on(connection):
        enter_scope(connection, view)
        yield connection


@contextmanager
def snapshot(running: Running, view: View) -> Iterator[Connection]:
    """Give a transaction as `scoped` does whose statements all see the same moment."""
    with running.engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin(), asking().on(connection):
            enter_scope(connection, view)
            yield connection


def _bad_box() -> Malformed:
    return Malformed(
        "bad-bbox",
        "bbox 应为 西,南,东,北 四个经纬度",
        "bbox is west,south,east,north in degrees",
        field="bbox",
    )


Service = Annotated[Running, Depends(running_of)]
Who = Annotated[Asker, Depends(asker_of)]
Bounds = Annotated[Box | None, Depends(box_of)]
JsonBody = Annotated[bytes, Depends(json_body)]
Day = Annotated[date | None, Query(description="The date whose map is asked for.")]
Code = Annotated[str, Path(max_length=64)]
