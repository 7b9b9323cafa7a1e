"""Who is seen or heard in a film made elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "film_persons",
        sa.Column("recording_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name=op.f("fk_film_persons_recording_id_recordings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_film_persons_member_id_members")
        ),
        sa.PrimaryKeyConstraint("recording_id", "place", name=op.f("pk_film_persons")),
    )
    with op.batch_alter_table("film_persons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_film_persons_member_id"), ["member_id"], unique=False)
