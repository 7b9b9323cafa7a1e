"""Every bound that the threat model names is held by a test that exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
MODEL = TESTS.parent / "docs" / "threat-model.md"


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", MODEL.read_text())
    assert len(named) > 30
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"def {test}\w*\(", (TESTS / file).read_text())
    ]
    assert missing == []
