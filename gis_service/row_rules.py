"""What the database itself enforces per table: who sees a row, and that a change is announced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from grid_boundaries.outbox import outbox
from layers.layer import Layer

SERVICE = "gis_service"
CHANNEL = "gis_outbox"

# A subselect without a reference to the row is evaluated once a statement, not once a row. An
# unset or reset setting is an empty string, which must match nothing; nor may the empty texts of
# a setting such as ``','``, with which every path begins.
_SCOPE = "array_remove(string_to_array(nullif(current_setting('gis.scope', true), ''), ','), '')"
_IN_SCOPE = f"unit_path ^@ any ((select {_SCOPE})::text[])"
_ANY_SCOPE = f"(select cardinality({_SCOPE}) > 0)"

_ANNOUNCE = """
create function {name}() returns trigger language plpgsql as $body$
declare
    touched_rows bigint;
    extent box2d;
    layer_name text;
begin
    {measure}
    if touched_rows = 0 then
        return null;
    end if;
    foreach layer_name in array tg_argv loop
        insert into outbox (layer, touched) values (
            layer_name,
            case when extent is not null then st_makeenvelope(
                st_xmin(extent), st_ymin(extent), st_xmax(extent), st_ymax(extent), 4490
            ) end
        );
        perform pg_notify('gis_outbox', layer_name);
    end loop;
    return null;
end
$body$
"""
_MEASURE = """if tg_op = 'INSERT' then
        select count(*), {extent_new} into touched_rows, extent from new_rows;
    elsif tg_op = 'DELETE' then
        select count(*), {extent_old} into touched_rows, extent from old_rows;
    else
        select count(*), {extent_both} into touched_rows, extent from {both};
    end if;"""
_EVENTS = {
    "insert": "new table as new_rows",
    "update": "old table as old_rows new table as new_rows",
    "delete": "old table as old_rows",
}


@dataclass(frozen=True)
class Rules:
    """What one table needs: is it seen by scope, by everybody, and which layers it changes."""

    table: Table
    layers: tuple[str, ...] = ()
    shared: bool = False


def rules_of(table: Table, layers: Iterable[Layer]) -> Rules:
    """Return a table's rules from the layers that are stored in it."""
    shown = [layer for layer in layers if layer.table is table]
    names = tuple(layer.name for layer in shown)
    return Rules(table, names, any(layer.shared for layer in shown))


def statements(rules: Rules) -> list[str]:
    """Return the DDL that puts the rules in force on a table that has just been made."""
    return [*grants(rules.table), *row_policy(rules), *outbox_triggers(rules)]


def grants(table: Table) -> list[str]:
    """Return what the service may do; never TRUNCATE, which no row policy binds."""
    rights = "select, insert, delete" if table is outbox else "select, insert, update, delete"
    if table.info.get("append_only"):
        rights = "select, insert"
    return [f"grant {rights} on {table.name} to {SERVICE}"]


def row_policy(rules: Rules) -> list[str]:
    """Return the policy that shows and takes only rows within the session's scope.

    A table without `unit_path` holds nothing that belongs to a unit and gets none.
    """
    name = rules.table.name
    if "unit_path" not in rules.table.c:
        return []
    seen = _ANY_SCOPE if rules.shared else _IN_SCOPE
    return [
        f"alter table {name} enable row level security",
        f"alter table {name} force row level security",
        f"create policy {name}_in_scope on {name} using ({seen}) with check ({seen})",
    ]


def outbox_triggers(rules: Rules) -> list[str]:
    """Return a statement trigger for each event, where a layer shows the table."""
    if not rules.layers:
        return []
    name = rules.table.name
    function = "announce_place" if "geom" in rules.table.c else "announce_all"
    named = ", ".join(f"'{layer}'" for layer in rules.layers)
    return [
        f"create trigger {name}_announces_{event} after {event} on {name}"
        f" referencing {rows} for each statement execute function {function}({named})"
        for event, rows in _EVENTS.items()
    ]


def announcing_functions() -> list[str]:
    """Return the two trigger functions: one that tells the box touched, one that cannot."""
    both = "(select geom from old_rows union all select geom from new_rows) as rows"
    placed = _measure("st_extent(geom)", both)
    # without a geometry the extent stays null, which means: everything
    placeless = _measure("null::box2d", "new_rows")
    return [
        _ANNOUNCE.format(name="announce_place", measure=placed).strip(),
        _ANNOUNCE.format(name="announce_all", measure=placeless).strip(),
    ]


def announcing_function_names() -> Sequence[str]:
    """Return the names of the trigger functions, for taking them away."""
    return ("announce_place", "announce_all")


def _measure(extent: str, both: str) -> str:
    return _MEASURE.format(extent_new=extent, extent_old=extent, extent_both=extent, both=both)
