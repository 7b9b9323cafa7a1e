"""By what a film on its way is known again: cameras cut films into files of exactly the same size."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("film_uploads", sa.Column("fingerprint", sa.String(length=64), nullable=True))
