"""Keep what plans start from by unit, say when they were handed in, see nothing by empty paths."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None

SCOPE = "nullif(current_setting('gis.scope', true), '')"
BEFORE = (
    f"unit_path ^@ any ((select string_to_array({SCOPE}, ','))::text[])",
    f"(select {SCOPE} is not null)",
)
PATHS = f"array_remove(string_to_array({SCOPE}, ','), '')"
AFTER = (
    f"unit_path ^@ any ((select {PATHS})::text[])",
    f"(select cardinality({PATHS}) > 0)",
)


def upgrade() -> None:
    """Take the schema forward."""
    for name in ("submitted_at", "approved_at"):
        op.add_column("plan", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("pk_plan_base", "plan_base")
    op.create_primary_key("pk_plan_base", "plan_base", ["unit_path", "hash"])
    with_every_row(
        # of the step taken last the time is known
        "update plan set submitted_at = changed_at where changed_what = 'submitted'",
        "update plan set approved_at = changed_at where changed_what = 'approved'",
        # plans whose base another unit had stored first
        "insert into plan_base (unit_path, hash, body)"
        " select distinct on (plan.unit_path, plan.base_hash)"
        " plan.unit_path, plan.base_hash, plan_base.body"
        " from plan join plan_base on plan_base.hash = plan.base_hash on conflict do nothing",
    )
    see_by(*AFTER)


def downgrade() -> None:
    """Take the schema back."""
    see_by(*BEFORE)
    with_every_row(
        "delete from plan_base using plan_base as other"
        " where other.hash = plan_base.hash and other.unit_path < plan_base.unit_path"
    )
    op.drop_constraint("pk_plan_base", "plan_base")
    op.create_primary_key("pk_plan_base", "plan_base", ["hash"])
    for name in ("submitted_at", "approved_at"):
        op.drop_column("plan", name)


def with_every_row(*statements: str) -> None:
    """Run statements that see the rows of all units: the row policy binds the owner, too."""
    op.execute("select set_config('gis.scope', '/', true)")
    for statement in statements:
        op.execute(statement)
    op.execute("select set_config('gis.scope', '', true)")


def see_by(in_scope: str, any_scope: str) -> None:
    """Put one wording of the row policy in force on every table that has one."""
    connection = op.get_bind()
    found = sa.text(
        "select tablename, qual like '%unit_path%' as is_narrow from pg_policies"
        " where schemaname = current_schema() and policyname = tablename || '_in_scope'"
        " order by tablename"
    )
    for table, is_narrow in connection.execute(found).all():
        seen = in_scope if is_narrow else any_scope
        op.execute(f"alter policy {table}_in_scope on {table} using ({seen}) with check ({seen})")
