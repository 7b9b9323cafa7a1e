"""`Attendance`: lists, corrections, made-up absences."""

from database import Clock, Database, PageRequest
from members.policy import Actor
from rooms.attendance.rules import AttendanceState
from rooms.attendance.views import AttendancePage, AttendanceRow


class Attendance:
    """Every public method is one unit of work."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def list(self, actor: Actor, meeting_id: str, page: PageRequest) -> AttendancePage:
        """The rows of a meeting, expected first; while it is live, as measured so far."""
        raise NotImplementedError

    async def correct(
        self, actor: Actor, meeting_id: str, member_id: str, state: AttendanceState, reason: str
    ) -> AttendanceRow:
        """Set a state beside the measured one, with a reason, after the end; goes to the card as a correction."""
        raise NotImplementedError

    async def made_up(self, member_id: str, meeting_id: str, recording_id: str) -> bool:
        """The member has watched the recording: absence becomes made up; answers whether anything changed.

        Idempotent. Writes no card entry: `recording_studied` is the recordings' to write.
        """
        raise NotImplementedError
