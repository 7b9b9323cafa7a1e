"""Who is seen or heard in a film made elsewhere. Of a meeting's recording that is measured; here somebody says it.

Invariant: a member is named only by who may see him, by the name he had then, and once a film.
"""
