"""Lets pictures through only from a key frame on: before it, a decoder shows nothing or rubbish."""

from recordings.capture.codecs.frames import Frame


class KeyFrameGate:
    """Closed at first and after every loss, until the next key frame; `wants_key_frame` says when to ask for one."""

    def __init__(self, *, is_video: bool) -> None:
        self._is_video = is_video
        self._open = not is_video
        self.dropped = 0

    @property
    def wants_key_frame(self) -> bool:
        """Whether pictures are being dropped for want of a key frame."""
        return not self._open

    def close(self) -> None:
        """Something is missing between the last frame and the next."""
        self._open = not self._is_video

    def admit(self, frame: Frame) -> bool:
        """Whether the frame is to be written."""
        self._open = self._open or frame.key
        if not self._open:
            self.dropped += 1
        return self._open
