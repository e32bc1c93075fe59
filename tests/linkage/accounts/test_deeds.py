import re
from pathlib import Path

import linkage
from linkage.accounts.deeds import DEEDS

RECORDED = re.compile(r'audit\.record\(\s*"(\w+\.\w+)"')


NEWER = 8  # actions of rooms that are being built may lack their words for so long


def test_the_actions_that_are_recorded_have_words():
    sources = Path(linkage.__file__).parent.rglob("*.py")
    recorded = {action for path in sources for action in RECORDED.findall(path.read_text())}
    assert recorded and len(recorded - DEEDS.keys()) <= NEWER, recorded - DEEDS.keys()
