"""A library of recordings: their settings, captions, search, prompts, holds, rules and deletions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ID = sa.String(length=32)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("recordings") as batch_op:
        batch_op.add_column(
            sa.Column("downloadable", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("required_share", sa.Float(), nullable=False, server_default="0.9"))
        batch_op.add_column(sa.Column("prompt_minutes", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("deletion_warned_at", _TIME, nullable=True))
    with op.batch_alter_table("recording_viewings") as batch_op:
        batch_op.add_column(sa.Column("unasked_seconds", sa.Float(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("prompt", _ID, nullable=True))
        batch_op.add_column(sa.Column("prompted_at", _TIME, nullable=True))
    _captions()
    _search()
    _upkeep()
    _deletions()
    _guard_deletions()


def _captions() -> None:
    op.create_table(
        "recording_captions",
        sa.Column("recording_id", _ID, nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("uploaded_by", _ID, nullable=False),
        sa.Column("uploaded_at", _TIME, nullable=False),
        _of_recording("recording_captions"),
        sa.PrimaryKeyConstraint("recording_id", "language", name=op.f("pk_recording_captions")),
    )


def _search() -> None:
    op.create_table(
        "recording_texts",
        sa.Column("recording_id", _ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _of_recording("recording_texts"),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_recording_texts")),
    )
    op.create_table(
        "recording_terms",
        sa.Column(
            "term",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("recording_id", _ID, nullable=False),
        _of_recording("recording_terms"),
        sa.PrimaryKeyConstraint("term", "recording_id", name=op.f("pk_recording_terms")),
    )
    op.create_index("ix_recording_terms_recording_id_term", "recording_terms", ["recording_id", "term"])


def _upkeep() -> None:
    op.create_table(
        "storage_rules",
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("keep_days", sa.BigInteger(), nullable=True),
        sa.Column("keep_days_by_kind", _JSON, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("set_by", _ID, nullable=False),
        sa.Column("set_at", _TIME, nullable=False),
        _of_organization("storage_rules"),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_storage_rules")),
    )
    op.create_table(
        "recording_holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("recording_id", _ID, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("set_by", _ID, nullable=False),
        sa.Column("set_at", _TIME, nullable=False),
        sa.Column("lifted_by", _ID, nullable=True),
        sa.Column("lifted_at", _TIME, nullable=True),
        sa.Column("lifted_reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_recording_holds_recording_id_recordings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_holds")),
    )
    op.create_index("ix_recording_holds_recording_id", "recording_holds", ["recording_id"])


def _deletions() -> None:
    op.create_table(
        "recording_deletions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("recording_id", _ID, nullable=False),
        sa.Column("meeting_id", _ID, nullable=True),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("organization_name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("deleted_by", _ID, nullable=True),
        sa.Column("deleted_by_name", sa.String(length=100), nullable=True),
        sa.Column("deleted_at", _TIME, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        _of_organization("recording_deletions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_deletions")),
        sa.UniqueConstraint("recording_id", name=op.f("uq_recording_deletions_recording_id")),
    )
    op.create_index("ix_recording_deletions_deleted_at_id", "recording_deletions", ["deleted_at", "id"])
    op.create_index(
        op.f("ix_recording_deletions_organization_id"), "recording_deletions", ["organization_id"]
    )


def _of_recording(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_recording_id_recordings")
    return sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=name, ondelete="CASCADE")


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_organization_id_organizations")
    return sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=name)


def _guard_deletions() -> None:
    """Entries are unchangeable in the database itself; a copy of database/append_only.py as it was."""
    if op.get_context().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER recording_deletions_no_{verb} BEFORE {verb.upper()} ON recording_deletions "
                "BEGIN SELECT RAISE(ABORT, 'recording deletions are append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_recording_deletions_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'recording deletions are append-only' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER recording_deletions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recording_deletions "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_recording_deletions_change()"
    )
