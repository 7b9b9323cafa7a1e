"""How long the server has really run; announcements and uploads on their way count by it from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uptime",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uptime")),
    )
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deletion_warned_uptime", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("film_uploads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("touched_uptime", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.drop_index(op.f("ix_film_uploads_expires_at"))
        batch_op.drop_column("expires_at")
