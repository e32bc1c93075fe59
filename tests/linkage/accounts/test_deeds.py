import re
from pathlib import Path

import linkage
from linkage.accounts.deeds import DEEDS

RECORDED = re.compile(r'audit\.record\(\s*"(\w+\.\w+)"')


def test_the_actions_that_are_recorded_have_words():
    sources = Path(linkage.__file__).parent.rglob("*.py")
    recorded = {action for path in sources for action in RECORDED.findall(path.read_text())}
    assert recorded and recorded <= DEEDS.keys(), recorded - DEEDS.keys()
