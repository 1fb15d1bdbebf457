"""Bodies as the description of the API tells them, of requests and of answers that are files."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

Extra = dict[str, Any]
FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
}
# a file is sent as the body itself, or as the one file of a form
FILE: Extra = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {}, "multipart/form-data": {"schema": FORM}},
    }
}


def gives(*kinds: str, status: int = 200) -> dict[int | str, Extra]:
    """Return what a route's description says of an answer of one of some content types."""
    content = {kind: {"schema": _file_schema(kind)} for kind in kinds}
    return {status: {"description": "A file." if status == 200 else "Done.", "content": content}}


def _file_schema(kind: str) -> Extra:
    if kind.endswith("json"):
        return {"type": "object"}
    return {"type": "string", "contentMediaType": kind}


def takes(model: type[BaseModel]) -> Extra:
    """Return what a route's description says of a body that is one model in JSON."""
    return takes_json(schema_of(model))


def takes_json(schema: Extra) -> Extra:
    """Return what a route's description says of a JSON body with a schema."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def schema_of(model: type[BaseModel]) -> Extra:
    """Return a model's schema with every part in its place.

    A reference into ``$defs`` would be looked for at the root of the whole description. Models
    that contain themselves are not described.
    """
    whole = model.model_json_schema()
    schema: Extra = _inlined(whole, whole.pop("$defs", {}))
    return schema


def _inlined(part: Any, parts: Extra) -> Any:
    if isinstance(part, list):
        return [_inlined(one, parts) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(parts[part["$ref"].rpartition("/")[2]], parts)
    # its mapping names the parts by reference; each part says its own kind as a constant
    return {name: _inlined(one, parts) for name, one in part.items() if name != "discriminator"}
