"""What a composition makes beside the film, and the film's chapters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("renditions", _JSON, nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("chapters", _JSON, nullable=False, server_default="[]"))
