"""A recording has a title, a kind and an organization of its own, and may belong to no meeting."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COPIED = {
    "organization_id": sa.String(length=32),
    "kind": sa.String(length=40),
    "title": sa.String(length=200),
}


def upgrade() -> None:
    with op.batch_alter_table("recordings") as batch_op:
        for name, kind in COPIED.items():
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        batch_op.add_column(sa.Column("uploader_account_id", sa.String(length=32), nullable=True))
    for name in COPIED:
        op.execute(
            f"UPDATE recordings SET {name} = (SELECT {name} FROM meetings WHERE meetings.id = recordings.meeting_id)"  # noqa: S608
        )
    with op.batch_alter_table("recordings") as batch_op:
        for name, kind in COPIED.items():
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        batch_op.alter_column("meeting_id", existing_type=sa.String(length=32), nullable=True)
        batch_op.create_foreign_key(
            op.f("fk_recordings_organization_id_organizations"), "organizations", ["organization_id"], ["id"]
        )
        batch_op.create_foreign_key(
            op.f("fk_recordings_uploader_account_id_accounts"), "accounts", ["uploader_account_id"], ["id"]
        )
        batch_op.create_index(op.f("ix_recordings_organization_id"), ["organization_id"])
