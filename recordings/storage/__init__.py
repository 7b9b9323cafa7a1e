"""Storage: where the finished files of recordings lie.

The words: a **store** holds files by key; the **local store** is the recordings' folder on this machine, into which
capture and composition write; a **remote store** is a bucket of an S3-compatible service, where the operator has named
one. **Publishing** copies what was composed and verified to the remote store, resumes where a crash or a broken line
cut it off, and gives the local copy up afterwards where the operator wants that. **Removing** deletes a recording's
files in every store.

Capture never waits for a network: it writes to the local disk, and publishing comes after composition.

The one invariant: a recording's files are in at least one store from the moment they are ready until its removal is
asked for, and a removal that was asked for is finished however often the server dies meanwhile.
"""
