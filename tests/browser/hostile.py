"""Names that would do harm if anything took them for code, planted where the wall shows names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select, text, update

from grid_boundaries.tables import metadata

TEXT = '{{7*7}}{% raw %}${7*7}<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'
WHERE = ("unit", "grid", "street", "water", "place", "camera", "incident", "hotspot", "centre")


def plant(connection: Connection) -> None:
    """Give one row of each table, and every unit of the first town, a hostile name."""
    connection.execute(text("select set_config('gis.scope', '/', true)"))
    for name in WHERE:
        table = metadata.tables[name]
        key = next(iter(table.primary_key.columns))
        row = connection.scalar(select(key).order_by(_first(table), key).limit(1))
        connection.execute(update(table).where(key == row).values(name=f"险{TEXT}"))
    spot = metadata.tables["hotspot"]
    connection.execute(update(spot).values(says={"zh": f"句{TEXT}", "en": f"says {TEXT}"}))


def _first(table: Table) -> ColumnElement[Any]:
    if table.name == "incident":
        return table.c.occurred_at.desc()
    if table.name == "hotspot":
        return ~table.c.hot
    return table.c.unit_path
