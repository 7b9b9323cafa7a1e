"""In which order the items of an agenda were said to begin: the clock may have been set in between."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agenda_marks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.BigInteger(), nullable=True))
    table = sa.table("agenda_marks", *map(sa.column, ("id", "meeting_id", "at", "number")))
    earlier = table.alias("earlier")
    before = (earlier.c.at < table.c.at) | ((earlier.c.at == table.c.at) & (earlier.c.id <= table.c.id))
    count = sa.select(sa.func.count()).where(earlier.c.meeting_id == table.c.meeting_id, before)
    op.execute(table.update().values(number=count.scalar_subquery()))
    with op.batch_alter_table("agenda_marks", schema=None) as batch_op:
        batch_op.alter_column("number", existing_type=sa.BigInteger(), nullable=False)
