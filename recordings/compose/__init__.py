"""Composition: the captured segments of one meeting in; one MP4, and what goes with it, out.

Runs as a process of its own, at low priority:

    python -m recordings.compose --folder data/recordings/<id>

The order of work: `story` reads journals and media files and, with `timeline`, says what was to be seen and heard
when. `sound` comes first and in one go: `voices` decode, `mixer` puts together, and from the levels `speech` tells
who speaks; how loud it is to be (`loudness`) and its encoding are seen to beside the pictures. `scenes` and `layout`
make of it who stands where from which frame to which; `shooting` draws (`pictures`, a process a track, and `canvas`)
and `shots` encode, a thread a size, in parts of a minute, which are kept in `work`: a composition that is killed goes
on with the part it was at. What people have sent is opened and decoded in processes of their own alone (`isolation`):
a track that crashes its process is left out, and the film says so in its place; one whose process was ended by somebody
else, or is kept by something, is tried again later first. `film` joins parts and sound,
not encoding again, `verify` looks at the result, `stills`, `chapters` and `hls` make what goes with it. The `brief`,
one line on standard input, tells what the files do not;
nothing here knows of databases: progress and result are JSON lines on standard output (`report`), and the supervisor
is `recordings.composing`.

Invariant: the captured files are read and never changed, so a composition that fails can always be begun again.
"""
