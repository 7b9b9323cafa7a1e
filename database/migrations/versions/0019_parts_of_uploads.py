"""Which parts of an upload to the remote store have arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_parts",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=1024), nullable=False),
        sa.ForeignKeyConstraint(
            ["key"],
            ["stored_uploads.key"],
            name=op.f("fk_stored_parts_key_stored_uploads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "number", name=op.f("pk_stored_parts")),
    )
