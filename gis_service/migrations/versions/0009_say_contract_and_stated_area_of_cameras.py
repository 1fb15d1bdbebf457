"""Say contract and stated area of cameras."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the schema forward."""
    op.add_column("camera", sa.Column("contract", sa.Text(), nullable=True))
    op.add_column("camera", sa.Column("stated_code", sa.Text(collation="C"), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("camera", "stated_code")
    op.drop_column("camera", "contract")
