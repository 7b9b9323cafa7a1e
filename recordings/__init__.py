"""Recordings: what a meeting said and showed, kept on disk, composed into one MP4, watched and counted.

The words: a **track** is one producer's encoded media in one Matroska file; a **segment** is one unbroken run of
capture (a restart of the server begins another); a **recording** is all segments of one meeting and the one MP4
**composed** from them; a **viewing** is what one member really watched of it.

The one invariant: a meeting that was to be recorded always has a row that says where its recording stands, and
that row ends as ready, damaged (playable, something known to be missing) or failed, with the reason. What was
captured is deleted by nobody but the deletion of the recording.

For signaling (all on the event loop):

    center = RecordingCenter(database, settings, clock)      # recordings/center.py
    center.set_listener(listener)                            # RecordingListener: on_recording_event(...)
    await center.start()                                     # reconciles, then composes in the background;
                                                             # after rooms have started
    recorder = await center.open(meeting_id)                 # a Recorder, or None: this meeting is not recorded
    recorder.track_added(Track(...)); recorder.track_paused(producer_id); recorder.track_resumed(producer_id)
    recorder.track_closed(producer_id)                       # the recorder closes the tap
    recorder.status                                          # RecordingStatus(state, since, reason) for `join`
    await center.finish(meeting_id)                          # the meeting ended: close the files, queue composition
    await center.stop()                                      # the server stops: files are closed, live meetings go
                                                             # on as a further segment when it starts again
    center.statistics() -> RecordingStatistics

For web/api:

    library = Library(database, center.shelf, clock)         # recordings/library.py
    await library.list(actor, PageRequest(...), meeting_id=None) -> Page[RecordingView]
    await library.get(actor, recording_id) -> RecordingView
    await library.of_meetings(actor, meeting_ids) -> {meeting_id: MeetingRecording(id, deleted)}
    opened = await library.open(actor, recording_id); who was let in gets its files without being asked again
    await library.file(opened, Rendition.FILM) -> MediaFile(store, entry, ...); or SOUND
    await library.file(opened, Rendition.HLS, "master.m3u8") -> MediaFile; or what playlists name beside it
    await library.picture(actor, recording_id, Rendition.POSTER) -> MediaFile; or PREVIEW
    await Remaking(...).remake(actor, recording_id)          # recordings/remaking.py: a broken one, made anew
    viewings = Viewings(database, attendance, cards, clock)  # recordings/viewing/service.py
    await viewings.report(actor, recording_id, WatchReport(intervals, rate, ended)) -> CoverageView

Problem codes raised here: recording_not_found (NOT_FOUND), recording_not_playable (CONFLICT: not composed yet, or
failed; details.state), rendition_not_found (NOT_FOUND: it does not come in this form; details.rendition),
recording_renewed (CONFLICT: it was composed anew; details.version), recording_whole, recording_not_settled,
originals_missing (CONFLICT: it is not to be made anew), persons_renewed (CONFLICT: others have been named in it
meanwhile), persons_are_measured (CONFLICT: a meeting's own), too_many_persons (INVALID; details.maximum). Whoever is
signed in without being a member may watch what he may see, and his reports are answered with an empty coverage: only a
member's watching is counted.

Reasons kept with a recording (`failure`, and `reason` in `recordingState`), for texts beside the error codes:
`disk_full`, `disk_failed`, `nothing_captured`, `capture_unreadable`, `track_lost`, `composition_failed`,
`files_missing`.
"""
