"""Which compositions make no more than what is lost of a film."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("composition_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mends", sa.Boolean(), nullable=False, server_default=sa.false()))
