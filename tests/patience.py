"""How long the tests wait for what is certain to come: on a busy machine everything does, only late.

A test that needs it all has failed.
"""

from typing import Final

PATIENCE_SECONDS: Final = 120.0
