"""Places where no camera may hang (DOMAIN P10): told by their kinds and by the words about them.

The law on personal information and the regulation on public-security video (State Council order
799, article 8) forbid cameras where people undress, sleep or are cared for.
"""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import Connection, func, select

from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.places import place

KINDS = frozenset({"ward", "dormitory", "bath", "toilet", "changing_room", "hotel_room"})
WORDS = (
    "病房", "宿舍", "集体寝室", "浴室", "浴池", "澡堂", "淋浴", "厕所", "公厕", "卫生间", "洗手间",
    "更衣室", "更衣间", "试衣间", "客房", "哺乳室", "母婴室",
)  # fmt: skip
# a place is a point at its door or middle
NEAR_DEG = 3e-5  # about 3 m


def forbidden_word(*texts: str | None) -> str | None:
    """Return the first word in texts that names a forbidden place; None where none does.

    Examples
    --------
    >>> forbidden_word(None, "二楼女更衣室门内")
    '更衣室'
    >>> forbidden_word("学校大门") is None
    True
    """
    said = " ".join(text for text in texts if text)
    return next((word for word in WORDS if word in said), None)


def forbidden_at(connection: Connection, view: View, lon: float, lat: float) -> str | None:
    """Return what forbids a camera at a point in degrees; None where nothing does.

    Places within 3 m are asked, and the building that the point is in: by kind, name and address.
    """
    point = func.st_setsrid(func.st_makepoint(lon, lat), STORED_SRID, type_=Geometry)
    near = select(place.c.kind, place.c.name, place.c.address).where(
        place.c.geom.intersects(func.st_expand(point, NEAR_DEG, type_=Geometry))
    )
    inside = select(building.c.kind, building.c.name, building.c.address).where(
        building.c.geom.intersects(point), func.st_intersects(building.c.geom, point)
    )
    rows = [
        *connection.execute(narrowed(near, view, place.c.unit_path)),
        *connection.execute(narrowed(inside, view, None)),
    ]
    found = (
        row.kind if row.kind in KINDS else forbidden_word(row.name, row.address) for row in rows
    )
    return next((word for word in found if word is not None), None)
