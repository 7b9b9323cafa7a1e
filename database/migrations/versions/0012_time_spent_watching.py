"""Until when somebody's time was spent on a recording: he has not spent it on another one too."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("recording_viewings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True))
