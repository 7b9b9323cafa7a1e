"""Composition: the captured segments of one meeting in, one MP4 out.

Runs as a process of its own, at low priority:

    python -m recordings.compose --folder data/recordings/<id> --output data/recordings/<id>/meeting.mp4

The order of work: `story` reads journals and media files and, with `timeline`, says what was to be seen and heard
when; `scenes` and `layout` make of it who stands where from which frame to which; `pictures` (a thread a track) and
`voices` decode; `canvas` and `mixer` put together; `film` encodes; `verify` looks at the result. It knows nothing of
databases: progress and result are JSON lines on standard output (`report`), the supervisor is `recordings.composing`.

Invariant: the captured files are read and never changed, so a composition that fails can always be begun again.
"""
