"""`python -m recordings.uploads FILE`: prints what the file is, or why it is refused, as one JSON object."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from recordings.background import make_way
from recordings.uploads.probe import Refused, limit, probe
from recordings.uploads.rules import Refusal

CPU_SECONDS: Final = 30


def main() -> None:
    """Never writes anything but its answer."""
    make_way(0)
    limit(CPU_SECONDS, may_write=False)
    try:
        answer: dict[str, object] = asdict(probe(Path(sys.argv[1])))
    except Refused as refused:
        answer = {"refused": refused.refusal.value}
    except MemoryError:
        answer = {"refused": Refusal.TOO_COSTLY.value}
    print(json.dumps(answer))  # noqa: T201 - whoever started it reads it


if __name__ == "__main__":
    main()
