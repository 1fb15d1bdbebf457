"""Files as they are sent: as the body itself, or as the one file of a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from gis_service.routes.asking import check_origin
from grid_boundaries.errors import Malformed, Refused, Unsupported

MOST_NAME = 200
# a page of another site can send these without the browser asking first; a form names its origin
WITHOUT_ASKING = frozenset({"", "text/plain", "application/x-www-form-urlencoded"})


@dataclass(frozen=True)
class Upload:
    """A file that was sent.

    Parameters
    ----------
    name
        As its sender calls it; may be empty. Never used as a path.
    """

    name: str
    body: bytes


async def upload_of(request: Request) -> Upload:
    """Return the file of a request.

    It is the body, of the file's own content type, with its name in the query as ``name``; or
    the part ``file`` of a ``multipart/form-data`` form.

    Raises
    ------
    NotAllowed
        A browser sends it from another site.
    Unsupported
        A content type that any page could send.
    Refused
        No file, or an empty one.
    Malformed
        A form that cannot be read.
    """
    check_origin(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in WITHOUT_ASKING:
        raise Unsupported(
            "not-a-file",
            "请以文件自身的类型发送（如 application/zip），或用 multipart/form-data 表单",
            "Send it under the file's own content type (such as application/zip), or as a "
            "multipart/form-data form",
            content_type=kind[:100],
        )
    if kind == "multipart/form-data":
        found = await _from_form(request)
    else:
        found = Upload(request.query_params.get("name", ""), await request.body())
    if not found.body:
        raise Refused("empty-file", "文件没有内容", "The file is empty")
    return Upload(found.name[-MOST_NAME:], found.body)


async def _from_form(request: Request) -> Upload:
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if isinstance(file, UploadFile):
                return Upload(file.filename or "", await file.read())
    except HTTPException as error:  # what starlette says of a form that it cannot read
        raise Malformed(
            "bad-form", "无法读懂表单", "The form cannot be read", said=str(error.detail)[:100]
        ) from None
    raise Refused(
        "no-file",
        "表单中没有名为 file 的文件",
        "The form has no file called file",
        field="file",
    )


FileSent = Annotated[Upload, Depends(upload_of)]
