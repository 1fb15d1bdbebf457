"""What phones and other systems send in: ``POST /api/incidents``, ``visits``, ``positions``."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from gis_service.errors import json_bytes, problem_answers
from gis_service.intakes import INTAKES, Kind
from gis_service.routes.asking import JsonBody, Service, Who
from gis_service.routes.bodies import gives, schema_of, takes_json
from gis_service.verdicts import Verdict
from gis_service.wire import read_json

ANSWERS = {
    **gives("application/json"),
    **gives("application/json", status=201),
    **problem_answers(400, 401, 403, 408, 409, 413, 415, 422, 503),
}
router = APIRouter(prefix="/api", tags=["ingest"], responses=ANSWERS)


def _body_schema(kind: Kind) -> dict[str, object]:
    one = schema_of(INTAKES[kind].model)
    many = {"type": "object", "properties": {"items": {"type": "array", "items": one}}}
    return takes_json({"anyOf": [one, {**many, "required": ["items"]}]})


@router.post("/incidents", response_class=Response, openapi_extra=_body_schema("incidents"))
async def incidents(service: Service, who: Who, body: JsonBody) -> Response:
    """Take events, disputes and appeals, each with its own verdict."""
    return await _taken(service, who, "incidents", body)


@router.post("/visits", response_class=Response, openapi_extra=_body_schema("visits"))
async def visits(service: Service, who: Who, body: JsonBody) -> Response:
    """Report visits, patrols and rounds on which nothing happened."""
    return await _taken(service, who, "visits", body)


@router.post("/positions", response_class=Response, openapi_extra=_body_schema("positions"))
async def positions(service: Service, who: Who, body: JsonBody) -> Response:
    """Report where workers on duty are."""
    return await _taken(service, who, "positions", body)


async def _taken(service: Service, who: Who, kind: Kind, body: bytes) -> Response:
    who.needs("ingest")
    sent = await run_in_threadpool(read_json, body)
    verdicts = await run_in_threadpool(service.ingest.take, kind, sent, who, service.now())
    is_batch = isinstance(sent, dict) and set(sent) == {"items"}
    return _answer(verdicts, is_batch=is_batch)


def _answer(verdicts: Sequence[Verdict], *, is_batch: bool) -> Response:
    status = 200
    if not is_batch:
        (verdict,) = verdicts
        if verdict.refused is not None:
            raise verdict.refused
        status = 201 if verdict.status == "stored" else 200
    body = json_bytes({"results": [verdict.wire for verdict in verdicts]})
    return Response(body, status, media_type="application/json")
