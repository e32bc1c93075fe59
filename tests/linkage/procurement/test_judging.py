"""The formulas by hand: the golden case, price scores, low prices, outliers, supplements."""

import pytest

from linkage.procurement.judging import low_price_clauses, mean_points, outliers, supplement_fits
from matching.awarding.award import award
from matching.awarding.model import Bidder, Lot, Offer, Part, Rule, Tender
from matching.awarding.ranking import ranking
from matching.awarding.scores import conformity, price_score

# Public notice CLPSP16ZH04ZC25: price in fen, technical, price score, total (DOMAIN.md section 4).
GOLDEN = [
    (231_111_040, 4950, 1980, 6930),
    (229_647_200, 5600, 1993, 7593),
    (229_936_000, 4900, 1990, 6890),
    (228_823_172, 7500, 2000, 9500),
]


def tender_of(rows, weight=2000, **values):
    """One lot; rows of (price, quality), bidders 0, 1, 2 …"""
    offers = tuple(Offer(str(n), str(n), (Part("lot", price, quality),)) for n, (price, quality) in enumerate(rows))
    return Tender((Lot("lot", 10**9, weight),), tuple(Bidder(offer.id) for offer in offers), offers, **values)


def test_the_golden_case_comes_out_exactly():
    tender = tender_of([row[:2] for row in GOLDEN])
    judged = conformity(tender)
    assert [row.score for row in judged.scored] == [row[3] for row in GOLDEN]
    lowest = min(row[0] for row in GOLDEN)
    assert [price_score(lowest, row[0], 2000) for row in GOLDEN] == [row[2] for row in GOLDEN]
    assert [row.offer.id for row in ranking(tender, judged.scored)[0].offers] == ["3", "1", "0", "2"]
    assert [won.bidder for won in award(tender, Rule.BY_RANK).won] == ["3"]


@pytest.mark.parametrize(("price", "score"), [(10_000_000, 2000), (12_500_000, 1600), (20_000_000, 1000)])
def test_the_price_score_by_hand(price, score):
    assert price_score(10_000_000, price, 2000) == score


@pytest.mark.parametrize(
    ("third", "clauses"),
    [(4000, {2: [2, 3]}), (3999, {2: [1, 2, 3]}), (4500, {2: [2]}), (5000, {}), (4499, {2: [2, 3]})],
)
def test_the_clauses_on_low_prices_by_hand_all_strict(third, clauses):
    assert low_price_clauses({0: 10_000, 1: 10_000, 2: third}, 10_000) == clauses


def test_two_equal_low_prices_are_each_others_next_lowest():
    assert low_price_clauses({0: 4500, 1: 4500, 2: 100_000}, 10_000) == {0: [1], 1: [1]}
    assert low_price_clauses({0: 4499}, 10_000) == {0: [3]}


def test_equal_scores_are_ranked_by_price_and_equal_prices_by_the_recorded_draw():
    tender = tender_of([(10_000, 5000), (12_500, 5400), (10_000, 5000)], draw=("2", "0"))
    assert [row.score for row in conformity(tender).scored] == [7000, 7000, 7000]
    assert [row.offer.id for row in ranking(tender, conformity(tender).scored)[0].offers] == ["2", "0", "1"]


def test_a_lot_with_two_conforming_bidders_fails_where_three_are_demanded():
    rows = [(10_000, 5000), (12_500, 5400)]
    assert conformity(tender_of(rows)).failed_lots == ("lot",)
    assert conformity(tender_of(rows, least_bidders=2)).failed_lots == ()


def test_a_supplement_of_10_00_percent_fits_and_one_of_10_01_does_not():
    value = 1_000_000_00
    assert supplement_fits(value, 0, 100_000_00, 100)
    assert not supplement_fits(value, 0, 100_100_00, 100)
    assert not supplement_fits(value, 0, 100_000_01, 100)
    assert supplement_fits(value, 99_999_99, 1, 100) and not supplement_fits(value, 99_999_99, 2, 100)


def test_points_further_than_three_tenths_from_the_mean_are_outliers():
    assert outliers({"a": 3000, "b": 3000, "c": 3000, "d": 3000, "e": 3000}, 300) == []
    assert outliers({"a": 1000, "b": 1000, "c": 1000, "d": 1000, "e": 700}, 300) == []  # mean 940, 240 away
    assert outliers({"a": 1000, "b": 1000, "c": 1000, "d": 1000, "e": 600}, 300) == ["e"]  # mean 920, 320 away


@pytest.mark.parametrize(("points", "mean"), [([1, 2], 2), ([1, 1, 2], 1), ([4950] * 5, 4950), ([3, 4, 4], 4)])
def test_the_mean_is_rounded_half_up(points, mean):
    assert mean_points(points) == mean
