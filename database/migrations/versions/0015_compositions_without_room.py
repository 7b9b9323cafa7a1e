"""Since when a composition waits for room on the disk."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("composition_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("no_room_since", sa.DateTime(timezone=True), nullable=True))
