"""Search in the library: title, agenda, organization and who took part, in any script.

Invariant: the index follows from the records alone and can be made anew at any time; a recording is found some minutes
after it has ended, which is when its participants are known.
"""
