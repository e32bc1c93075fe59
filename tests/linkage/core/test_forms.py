"""Amounts are read exactly as people type them."""

import pytest
from marshmallow import ValidationError

from linkage.core.forms import Money, shown_money


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("1280", 128_000),
        ("1,280.00", 128_000),
        ("¥1,280.5", 128_050),
        ("￥０.０１", 1),
        (" 12 元", 1_200),
        ("2,311,110.40", 231_111_040),
    ],
)
def test_an_amount_becomes_integer_fen(typed, fen):
    assert Money().deserialize(typed) == fen


@pytest.mark.parametrize("typed", ["12.345", "1,28.00", "-5", "1e3", "ten", "1,280,00", "¥"])
def test_what_is_no_amount_is_refused(ctx, typed):
    with pytest.raises(ValidationError):
        Money().deserialize(typed)


def test_an_amount_shown_is_read_back_the_same():
    assert [Money().deserialize(shown_money(fen)) for fen in (0, 1, 99, 100, 123_456_789)] == [
        0,
        1,
        99,
        100,
        123_456_789,
    ]
