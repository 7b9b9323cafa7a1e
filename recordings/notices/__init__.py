"""Notices: what waits for the person who asks, read from the records themselves, so that nothing is ever out of date.

For members (`members`): an absence that can be made up by watching, until when, or no longer; a meeting one is newly
invited to; an answer to a consultation. For officers (`officers`): recordings that are broken or wait for room on the
disk, captures that have stopped. Each goes by itself: when it was watched, the meeting begins, it is put right, it is
an old story.
"""

from recordings.notices.service import Notices
from recordings.notices.views import NEWS, NoticeKind, NoticeView

__all__ = ["NEWS", "NoticeKind", "NoticeView", "Notices"]
