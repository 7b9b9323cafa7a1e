"""`python -m recordings.uploads FILE`: prints what the file is, why it is refused, or what was in the way, as JSON."""

import errno
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from recordings.background import make_way
from recordings.faults import number_of
from recordings.uploads.probe import Refused, limit, probe

CPU_SECONDS: Final = 30


def main() -> None:
    """Never writes anything but its answer."""
    make_way(0)
    limit(CPU_SECONDS, may_write=False)
    try:
        answer: dict[str, object] = asdict(probe(Path(sys.argv[1])))
    except Refused as refused:
        answer = {"refused": refused.refusal.value}
    except (OSError, MemoryError) as error:
        answer = {"hindered": number_of(error) or errno.ENOMEM}
    print(json.dumps(answer))  # noqa: T201 - whoever started it reads it


if __name__ == "__main__":
    main()
