"""Awards: the published golden case, cases by hand, and another solver as referee."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from matching.__main__ import main
from matching.awarding.award import award, compare
from matching.awarding.generate import made_up
from matching.awarding.model import Bidder, Goal, Lot, Offer, Part, Rule, Tender, checked, tender_from_json
from matching.awarding.optimum import NoAward, optimum
from matching.awarding.ranking import ranking
from matching.awarding.scores import conformity, price_score
from matching.awarding.why_not import why_not
from matching.codec import encode
from matching.errors import InvalidInstance


def single(bidder, lot, price, quality):
    return Offer(f"{bidder}{lot}", bidder, (Part(lot, price, quality),))


def tender(*offers, lots=None, **rules):
    names = sorted({part.lot for offer in offers for part in offer.parts})
    bidders = tuple(Bidder(name) for name in sorted({offer.bidder for offer in offers}))
    lots = lots or tuple(Lot(name, 1000, 2000) for name in names)
    return Tender(lots, bidders, offers, **{"least_bidders": 1, **rules})


def winners(outcome):
    return {row.lot: row.bidder for row in outcome.won}


def test_the_published_case_is_scored_to_the_hundredth():
    """公告 CLPSP16ZH04ZC25: technical 80, price 20."""
    published = [(231111040, 4950, 6930), (229647200, 5600, 7593), (229936000, 4900, 6890), (228823172, 7500, 9500)]
    offers = [single(f"b{n}", "l", price, quality) for n, (price, quality, _total) in enumerate(published)]
    case = tender(*offers, lots=(Lot("l", 250000000, 2000),), least_bidders=3)
    assert [row.score for row in conformity(case).scored] == [total for _price, _quality, total in published]
    assert winners(award(case)) == {"l": "b3"}
    assert [row.offer.bidder for row in ranking(case, conformity(case).scored)[0].offers] == ["b3", "b1", "b0", "b2"]


def test_price_scores_by_hand():
    assert [price_score(100_000, price, 2000) for price in (100_000, 125_000, 200_000)] == [2000, 1600, 1000]


def test_a_lot_with_two_bidders_fails_and_takes_the_combined_offer_with_it():
    offers = [single(b, "x", 900, 5000) for b in "abc"] + [single(b, "y", 900, 5000) for b in "a"]
    offers.append(Offer("both", "b", (Part("x", 1, 8000), Part("y", 1, 8000))))
    outcome = award(tender(*offers, least_bidders=3, rule=Rule.OPTIMISED))
    assert outcome.failed == ("y",)
    assert [(row.offer, row.reason) for row in outcome.excluded] == [("ay", "lot_failed"), ("both", "lot_failed")]
    assert "y" not in winners(outcome)


def test_who_asks_more_than_the_ceiling_or_offers_too_little_takes_no_part():
    case = tender(
        single("a", "x", 1001, 8000), single("b", "x", 900, 2999), single("c", "x", 900, 3000), least_quality=3000
    )
    assert winners(award(case)) == {"x": "c"}
    assert {(row.offer, row.reason) for row in award(case).excluded} == {
        ("ax", "above_ceiling"),
        ("bx", "below_quality"),
    }


def test_equal_scores_go_to_the_cheaper_and_equal_prices_to_the_draw():
    equal = [single("a", "x", 800, 5000), single("b", "x", 800, 5000)]
    assert not award(tender(*equal)).unique
    drawn = award(tender(*equal, draw=("bx", "ax")))
    assert winners(drawn) == {"x": "b"}
    assert drawn.unique


def test_with_a_limit_the_next_in_rank_gets_the_second_lot():
    offers = [single("a", "x", 800, 7000), single("a", "y", 800, 7000), single("b", "y", 900, 6000)]
    assert winners(award(tender(*offers))) == {"x": "a", "y": "a"}
    assert winners(award(tender(*offers, rule=Rule.BY_RANK_LIMITED, most_lots=1))) == {"x": "a", "y": "b"}


def test_a_combined_offer_wins_where_it_is_better_for_all_lots_together():
    offers = [single("a", "x", 500, 5000), single("b", "y", 500, 5000)]
    offers.append(Offer("c", "c", (Part("x", 300, 5000), Part("y", 300, 5000))))
    outcomes = {row.rule: row for row in compare(tender(*offers, rule=Rule.OPTIMISED))}
    assert winners(outcomes[Rule.OPTIMISED]) == {"x": "c", "y": "c"}
    assert winners(outcomes[Rule.BY_RANK]) == {"x": "a", "y": "b"}
    assert outcomes[Rule.OPTIMISED].cost_fen == 600
    assert outcomes[Rule.OPTIMISED].concentration == 10_000
    assert outcomes[Rule.BY_RANK].concentration == 5_000


def test_capacity_share_budget_and_a_least_number_of_winners_are_kept():
    lots = (Lot("x", 1000, 2000, 60), Lot("y", 1000, 2000, 60))
    offers = [single(b, lot, price, 7000) for b, price in (("a", 500), ("b", 700)) for lot in "xy"]
    case = tender(*offers, lots=lots, rule=Rule.OPTIMISED)
    assert set(winners(award(case)).values()) == {"a"}
    small = replace(case, bidders=(Bidder("a", capacity_minutes=60), Bidder("b")))
    for limited in (small, replace(case, most_share_permille=500), replace(case, least_suppliers=2)):
        assert sorted(winners(award(limited)).values()) == ["a", "b"]
    assert len(award(replace(case, budget_fen=900)).won) == 1
    with pytest.raises(NoAward):
        award(replace(case, least_suppliers=3))


@pytest.mark.parametrize("seed", range(12))
def test_small_tenders_are_awarded_as_by_trying_every_set(seed):
    case = replace(made_up(seed, 4, 4, offers_per_lot=2, combined=0.6), least_bidders=1, least_suppliers=1, draw=())
    scored = conformity(case).scored
    best, sets = None, []
    for size in range(len(scored) + 1):
        for picked in itertools.combinations(scored, size):
            if feasible(case, picked):
                value = (
                    sum(len(r.offer.parts) for r in picked),
                    sum(r.score for r in picked),
                    -sum(r.offer.price_fen for r in picked),
                )
                if best is None or value > best:
                    best, sets = value, [picked]
                elif value == best:
                    sets.append(picked)
    if best is None:
        with pytest.raises(NoAward):
            optimum(case, scored)
        return
    found = optimum(case, scored)
    assert found.optimal
    assert {row.offer.id for row in found.winners} in [{row.offer.id for row in picked} for picked in sets]
    assert found.unique == (len(sets) == 1)


def feasible(case, picked):
    lots = [part.lot for row in picked for part in row.offer.parts]
    if len(lots) != len(set(lots)) or len({row.offer.bidder for row in picked}) < case.least_suppliers:
        return False
    by_id = {lot.id: lot for lot in case.lots}
    for bidder in case.bidders:
        own = [by_id[part.lot] for row in picked if row.offer.bidder == bidder.id for part in row.offer.parts]
        if any(most is not None and len(own) > most for most in (bidder.most_lots, case.most_lots)):
            return False
        if bidder.capacity_minutes is not None and sum(lot.service_minutes for lot in own) > bidder.capacity_minutes:
            return False
        if (
            sum(lot.ceiling_fen for lot in own)
            > case.most_share_permille * sum(lot.ceiling_fen for lot in case.lots) // 1000
        ):
            return False
    return True


def test_another_solver_agrees_on_a_larger_tender():
    """scipy's HiGHS on the first goal, then on the second with the first held."""
    case = made_up(5, 30, 20, offers_per_lot=8)
    scored = conformity(case).scored
    rows, upper = limits(case, scored)
    count = np.array([len(row.offer.parts) for row in scored], float)
    score = np.array([row.score for row in scored], float)
    most = round(-referee(-count, rows, upper).fun)
    best = round(-referee(-score, [*rows, -count], [*upper, -most]).fun)
    found = optimum(replace(case, least_suppliers=0), scored)
    assert found.optimal
    assert sum(len(row.offer.parts) for row in found.winners) == most
    assert sum(row.score for row in found.winners) == best


def limits(case, scored):
    rows, upper = [], []
    for lot in case.lots:
        rows.append([float(any(part.lot == lot.id for part in row.offer.parts)) for row in scored])
        upper.append(1)
    by_id = {lot.id: lot for lot in case.lots}
    share = case.most_share_permille * sum(lot.ceiling_fen for lot in case.lots) // 1000
    for bidder in case.bidders:
        own = [[by_id[part.lot] for part in row.offer.parts] if row.offer.bidder == bidder.id else [] for row in scored]
        most = min(most for most in (bidder.most_lots, case.most_lots) if most is not None)
        rows += [
            [len(x) for x in own],
            [sum(y.service_minutes for y in x) for x in own],
            [sum(y.ceiling_fen for y in x) / 1e6 for x in own],
        ]
        upper += [most, bidder.capacity_minutes, share / 1e6]
    return [np.array(row, float) for row in rows], upper


def referee(cost, rows, upper):
    found = milp(
        cost,
        constraints=LinearConstraint(np.array(rows), ub=upper),
        integrality=np.ones(len(cost)),
        bounds=Bounds(0, 1),
    )
    assert found.success
    return found


def test_two_seeds_give_the_same_set_where_it_is_the_only_best():
    case = made_up(3, 40, 25, offers_per_lot=8)
    one, other = award(case, seed=1), award(case, seed=2)
    assert one.unique and other.unique
    assert one.won == other.won


@pytest.mark.parametrize("rule", [Rule.BY_RANK, Rule.OPTIMISED])
def test_a_loser_learns_the_price_and_the_points_that_would_have_won(rule):
    offers = [single("a", "x", 800, 7000), single("b", "x", 850, 6900), single("c", "x", 1000, 100)]
    case = tender(*offers, rule=rule)
    told = why_not(case, "bx")
    assert told.ranks == (2,)
    for price, wins in ((told.winning_price_fen, True), (told.winning_price_fen + 1, False)):
        again = replace(case, offers=(offers[0], single("b", "x", price, 6900), offers[2]))
        assert (winners(award(again))["x"] == "b") is wins
    for quality, wins in ((told.winning_quality, True), (told.winning_quality - 1, False)):
        again = replace(case, offers=(offers[0], single("b", "x", 850, quality), offers[2]))
        assert (winners(award(again))["x"] == "b") is wins


def test_price_alone_cannot_make_up_for_too_few_points():
    assert why_not(tender(single("a", "x", 800, 8000), single("c", "x", 900, 100)), "cx").winning_price_fen is None


def test_who_won_is_not_told_why_not():
    with pytest.raises(InvalidInstance, match="won"):
        why_not(tender(single("a", "x", 800, 8000)), "ax")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"offers": (Offer("o", "nobody", (Part("x", 1, 1),)),)}, "offers[0].bidder"),
        ({"offers": (Offer("o", "a", (Part("z", 1, 1),)),)}, "offers[0].parts[0].lot"),
        ({"offers": (Offer("o", "a", ()),)}, "offers[0].parts"),
        ({"offers": (Offer("o", "a", (Part("x", 0, 1),)),)}, "offers[0].parts[0].price_fen"),
        ({"offers": (Offer("o", "a", (Part("x", 1, 9000),)),)}, "offers[0].parts[0].quality"),
        ({"offers": (Offer("o", "a", (Part("x", -5, 1),)),)}, "offers[0].parts[0].price_fen"),
        ({"lots": (Lot("x", 1, 1), Lot("x", 1, 1))}, "lots"),
        ({"draw": ("unknown",)}, "draw[0]"),
        ({"goals": (Goal.COST, Goal.COST)}, "goals"),
    ],
)
def test_a_bad_tender_is_refused_by_the_name_of_its_field(change, path):
    with pytest.raises(InvalidInstance) as refusal:
        checked(replace(tender(single("a", "x", 800, 8000)), **change))
    assert refusal.value.path == path


def test_the_command_awards_a_file_and_tells_a_loser_why(tmp_path, capsys):
    file = tmp_path / "tender.json"
    file.write_text(json.dumps(encode(tender(single("a", "x", 800, 7000), single("b", "x", 850, 6900)))))
    assert main(["award", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["bidder"] for row in told["award"]["won"]] == ["a"]
    assert len(told["rules"]) == len(Rule)
    assert main(["award", str(file), "--why-not", "bx"]) == 0
    assert json.loads(capsys.readouterr().out)["winning_price_fen"] < 850
    assert main(["award", str(file), "--why-not", "ax"]) == 2


def test_a_file_that_is_no_json_is_refused():
    with pytest.raises(InvalidInstance):
        tender_from_json("{")
