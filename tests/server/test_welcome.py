"""What a person reads when the server has started."""

import pytest

from config import Config
from welcome import Demo, welcome


@pytest.mark.parametrize("empty", [True, False])
def test_where_nobody_can_sign_in_yet_it_says_how_the_first_one_does(*, empty: bool) -> None:
    assert ("create-account" in welcome(Config(), 8080, Demo(), empty=empty)) is empty
