"""How much room everything of a recording takes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kept_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE recordings SET kept_bytes = COALESCE(size_bytes, 0)")
