from linkage.accounts.rule_words import WORDS, said
from linkage.core import rulesets


def test_every_rule_that_a_room_declares_has_words(ctx):
    assert rulesets.DEFAULTS.keys() <= WORDS.keys(), rulesets.DEFAULTS.keys() - WORDS.keys()


def test_a_value_is_said_with_the_unit_of_its_name(ctx):
    assert said("offers.answer_minutes", 240) == "240 分钟"
    assert said("procurement.report_working_days", 2) == "2 个工作日"
    assert said("procurement.supplement_permille", 100) == "10 %"
    assert said("planning.detour_factor", 1.3) == "1.3"
    assert said("households.warn_days", [90, 60]) == "[90, 60]"
