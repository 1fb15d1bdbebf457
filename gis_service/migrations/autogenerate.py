"""How a revision is written: our tables only, spatial types spelt out, rules of each new table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from geoalchemy2 import Geometry

from gis_service.migrations.schema import rules, schema
from gis_service.row_rules import (
    SERVICE,
    announcing_function_names,
    announcing_functions,
    statements,
)
from grid_boundaries.outbox import Xid8, outbox


def is_ours(thing: Any, name: str | None, kind: str, is_reflected: bool, _compared_to: Any) -> bool:
    """Say whether a table belongs to the service (PostGIS keeps one of its own)."""
    return kind != "table" or not is_reflected or name in schema().tables


def rendered_type(kind: str, thing: Any, context: AutogenContext) -> str | Literal[False]:
    """Return how a column's type is spelt in a revision; False for Alembic's own way."""
    if kind != "type":
        return False
    if isinstance(thing, Geometry):
        context.imports.add("from geoalchemy2 import Geometry")
        return f"Geometry({thing.geometry_type!r}, srid={thing.srid}, spatial_index=False)"
    if isinstance(thing, Xid8):
        context.imports.add("from grid_boundaries.outbox import Xid8")
        return "Xid8()"
    return False


def add_rules(
    _context: MigrationContext,
    _revision: str | Iterable[str | None] | Iterable[str],
    scripts: list[ops.MigrationScript],
) -> None:
    """Append row policy, outbox triggers and grants of every table that the revision makes."""
    for script in scripts:
        if script.upgrade_ops is None or script.downgrade_ops is None:
            continue
        made = [op.table_name for op in script.upgrade_ops.ops if isinstance(op, ops.CreateTableOp)]
        if outbox.name in made:
            _add_once(script.upgrade_ops, script.downgrade_ops)
        for name in made:
            script.upgrade_ops.ops.extend(map(ops.ExecuteSQLOp, _lines(name)))


def _add_once(up: ops.UpgradeOps, down: ops.DowngradeOps) -> None:
    """Append what the first revision makes for all tables, and how it is taken away."""
    once = [*announcing_functions(), f"grant select on alembic_version to {SERVICE}"]
    up.ops.extend(map(ops.ExecuteSQLOp, once))
    dropped = (f"drop function {name}()" for name in announcing_function_names())
    down.ops.extend(map(ops.ExecuteSQLOp, dropped))


def _lines(table_name: str) -> list[str]:
    found = rules(table_name)
    return statements(found) if found else []
