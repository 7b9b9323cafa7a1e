"""Uploads: films made elsewhere (党课 videos) that an officer brings into the library.

The words: an **upload** is a film on its way, a row in the records and one file that grows by **chunks**; the
**probe** looks at the whole file in a process of its own, with bounds on memory and time, and says what it is or why
it is refused; **conversion** makes of it what composition makes of a meeting, in the same queue.

The upload's id is the id of the recording that it becomes, so nothing is moved when it is whole: the file lies in the
recording's folder from its first byte. Nothing that the uploader says (a name, a type, a length) decides where
anything is written or what it is taken for.

The one invariant: what has been answered as received is on the disk, and `offset` is what the file itself says. A
refused, cancelled or forgotten upload leaves nothing behind.
"""
