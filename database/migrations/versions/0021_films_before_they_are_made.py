"""What is known of a film made elsewhere before anything is made of it: how long it is, and who is in it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("recordings", sa.Column("source_seconds", sa.Float(), nullable=True))
    op.add_column("film_uploads", sa.Column("seconds", sa.Float(), nullable=True))
    op.add_column("film_uploads", sa.Column("persons", _JSON, nullable=False, server_default="[]"))
