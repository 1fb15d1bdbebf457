"""What a report must look like on the wire, field by field."""

from __future__ import annotations

import json
import math
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gis_service.personal_numbers import HIDDEN
from gis_service.reports import IncidentReport, PositionReport, Report, VisitReport

KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"
AT = "2026-03-02T10:00:00+08:00"
PLACE: dict[str, Any] = {"id": KEY, "lon": 108.3, "lat": 33.3}
WHOLE: dict[type[Report], dict[str, Any]] = {
    IncidentReport: {"title": "噪声", "kind": "event", "category": "noise", "occurred_at": AT},
    VisitReport: {"worker_id": "W1", "kind": "visit", "visited_at": AT},
    PositionReport: {"worker_id": "W1", "located_at": AT},
}
MODELS = list(WHOLE)


def read(model: type[Report], **changed: Any) -> Report:
    body = {**PLACE, **WHOLE[model], **changed}
    return model.model_validate({name: value for name, value in body.items() if value is not ...})


def fault(model: type[Report], **changed: Any) -> set[str]:
    """Return the fields that are complained of."""
    with pytest.raises(ValidationError) as found:
        read(model, **changed)
    return {str(one["loc"][0]) for one in found.value.errors()}


@pytest.mark.parametrize("model", MODELS)
def test_the_least_that_is_needed_is_enough(model: type[Report]) -> None:
    one = read(model)
    assert one.happened_at == datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    assert (one.id, one.lon, one.lat) == (KEY, 108.3, 33.3)


NEEDED = [(model, name) for model in MODELS for name in (*PLACE, *WHOLE[model])]


@pytest.mark.parametrize(("model", "name"), NEEDED)
def test_a_field_that_is_missing_or_null_is_named(model: type[Report], name: str) -> None:
    assert fault(model, **{name: ...}) == {name}
    assert fault(model, **{name: None}) == {name}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "name",
    ["role", "path", "unit_path", "created_by", "state", "reported_by", "number", "due_at", "geom",
     "grid_code", "block_id", "placed", "body_digest", "__class__", "id ", "", "closed_at"],
)  # fmt: skip
def test_a_field_that_the_sender_has_no_say_in_is_refused(model: type[Report], name: str) -> None:
    assert fault(model, **{name: "x"}) == {name}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "key",
    ["", "1", 1, True, [], {}, KEY[:-1], KEY + "0", KEY.replace("-", ""), f"{{{KEY}}}", f" {KEY}",
     f"{KEY}\n", KEY.replace("0", "g"), "0" * 36, "../../etc/passwd", "' or 1=1--" + "0" * 26,
     "urn:uuid:" + KEY, KEY.replace("-", "‐")],
)  # fmt: skip
def test_an_id_is_a_uuid_in_its_plain_form(model: type[Report], key: Any) -> None:
    assert fault(model, id=key) == {"id"}


@pytest.mark.parametrize("model", MODELS)
def test_an_id_in_capitals_is_the_same_id(model: type[Report]) -> None:
    assert read(model, id=KEY.upper()).id == KEY


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["lon", "lat"])
@pytest.mark.parametrize(
    "value",
    ["108.3", "", [108.3], {"lon": 1}, True, math.nan, math.inf, -math.inf, 10**400, "NaN", b"1"],
    ids=repr,
)
def test_a_coordinate_is_a_finite_number(model: type[Report], name: str, value: Any) -> None:
    assert fault(model, **{name: value}) == {name}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "at",
    [
        "",
        "now",
        "2026-03-02",
        "2026-03-02T10:00:00",
        "10:00",
        0,
        1772416800,
        1.5,
        True,
        [],
        "2026-02-30T10:00:00Z",
        "2026-03-02T25:00:00Z",
        "2026-03-02T10:00:00+99:00",
        "1772416800",
        "二〇二六年三月二日",
        "99999-01-01T00:00:00Z",
        "-1-01-01T00:00:00Z",
        "2026-03-02T10:00:00 UTC+8",
    ],
    ids=repr,
)
def test_a_time_is_a_text_with_its_zone(model: type[Report], at: Any) -> None:
    (name,) = (name for name, value in WHOLE[model].items() if value == AT)
    assert fault(model, **{name: at}) == {name}


@pytest.mark.parametrize(
    ("model", "name", "longest"),
    [
        (IncidentReport, "title", 200),
        (IncidentReport, "address", 1000),
        (VisitReport, "result", 1000),
        (IncidentReport, "category", 64),
        (VisitReport, "worker_id", 64),
        (PositionReport, "worker_id", 64),
        (VisitReport, "household_id", 64),
        (VisitReport, "place_id", 64),
    ],
)
def test_a_text_has_its_longest_and_no_nul(model: type[Report], name: str, longest: int) -> None:
    assert getattr(read(model, **{name: "长" * longest}), name) == "长" * longest
    for text in ("长" * (longest + 1), "a\0b", "\0", 7, ["a"], True):
        assert fault(model, **{name: text}) == {name}


@pytest.mark.parametrize(
    ("model", "name", "values"),
    [
        (IncidentReport, "kind", {"event", "dispute", "appeal"}),
        (IncidentReport, "urgency", {"red", "yellow", "blue"}),
        (IncidentReport, "source", {"grid_app", "110", "12345", "city_management", "camera"}),
        (VisitReport, "kind", {"visit", "patrol", "no_incident"}),
    ],
)
def test_a_word_of_a_list_is_just_that_word(
    model: type[Report], name: str, values: set[str]
) -> None:
    assert {getattr(read(model, **{name: value}), name) for value in values} == values
    for other in ("", "EVENT", "event ", "red\n", 110, None if name != "source" else 1, "people"):
        assert fault(model, **{name: other}) == {name}


@pytest.mark.parametrize("value", ["true", 1, 0, "no", None, []])
def test_on_duty_is_true_or_false(value: Any) -> None:
    assert fault(PositionReport, on_duty=value) == {"on_duty"}


@pytest.mark.parametrize("name", ["title", "address"])
def test_numbers_of_persons_are_hidden_before_anything_is_kept(name: str) -> None:
    one = read(IncidentReport, **{name: "电话 13912345678 身份证 990923199001011238"})
    assert getattr(one, name) == f"电话 {HIDDEN} 身份证 {HIDDEN}"
    other = read(IncidentReport, **{name: "电话 13987654321 身份证 990923199001011238"})
    # else the digest would tell which number it was
    assert one.digest == other.digest


@pytest.mark.parametrize("model", MODELS)
def test_every_field_makes_another_body(model: type[Report]) -> None:
    changes = {
        "lon": 108.31,
        "lat": 33.31,
        "title": "别的",
        "kind": "patrol" if model is VisitReport else "appeal",
        "category": "x",
        "worker_id": "W2",
        "urgency": "red",
        "source": "110",
        "address": "x",
        "result": "x",
        "place_id": "x",
        "household_id": "x",
        "on_duty": False,
        **dict.fromkeys(("occurred_at", "visited_at", "located_at"), "2026-03-02T11:00:00+08:00"),
    }
    known = {name: value for name, value in changes.items() if name in model.model_fields}
    assert set(known) | {"id"} == set(model.model_fields)
    found = {
        read(model).digest,
        *(read(model, **{name: value}).digest for name, value in known.items()),
    }
    assert len(found) == len(known) + 1


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=200), st.floats(-180, 180), st.floats(-90, 90))
def test_what_is_read_says_what_was_sent(title: str, lon: float, lat: float) -> None:
    try:
        one = read(IncidentReport, title=title, lon=lon, lat=lat, id=str(uuid.uuid4()))
    except ValidationError:
        assert "\0" in title or any(0xD800 <= ord(letter) < 0xE000 for letter in title)
        return
    assert isinstance(one, IncidentReport)
    assert (one.lon, one.lat) == (lon, lat)
    assert one.title == title or HIDDEN in one.title
    assert json.loads(one.model_dump_json())["lon"] == lon
