"""The tables of the search: what is looked in, and the terms by which it is found."""

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from recordings.searching.terms import TERM_LENGTH

TermText = String(TERM_LENGTH).with_variant(String(TERM_LENGTH, collation="C"), "postgresql")
"""Compared character by character on both databases, so that a beginning is one range of the index."""


class RecordingText(Base):
    """What is known of a recording, in `terms.normal` form."""

    __tablename__ = "recording_texts"

    recording_id: Mapped[Id] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text)


class RecordingTerm(Base):
    """One term of that text."""

    __tablename__ = "recording_terms"
    __table_args__ = (Index("ix_recording_terms_recording_id_term", "recording_id", "term"),)

    term: Mapped[str] = mapped_column(TermText, primary_key=True)
    recording_id: Mapped[Id] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
