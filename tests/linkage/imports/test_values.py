from datetime import date

import pytest

from linkage.imports import values
from linkage.imports.recurrences import recurrence
from linkage.imports.values import CellFault


def meaning(read, cell):
    return read(cell if isinstance(cell, list) else ["t", cell]).meaning


@pytest.mark.parametrize(
    "cell",
    [
        "1946-03-05",
        "1946/3/5",
        "1946.3.5",
        "1946年3月5日",
        "19460305",
        "１９４６－０３－０５",
        ["n", "16866"],
        ["d", "1946-03-05"],
    ],
)
def test_a_day_is_read_in_every_usual_spelling(cell):
    assert meaning(values.day, cell) == date(1946, 3, 5)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("1946.13.5", "month"), ("1946-02-30", "day"), ("46-3-5", "date"), ("1846-03-05", "year"), ("昨天", "date")],
)
def test_a_day_that_is_none_is_refused_by_what_is_wrong(cell, code):
    with pytest.raises(CellFault) as fault:
        values.day(["t", cell])
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (["n", "350203195303084000"], "rounded"),
        ("3.50203E+17", "rounded"),
        ("350203195303084000", "rounded"),
        ("35020319530308406", "id_length"),
        ("350203195313084065", "id_date"),
        ("350203195303084066", "id_checksum"),
        ("990203195303084065", "id_province"),
    ],
)
def test_a_wrong_id_number_is_refused_by_what_is_wrong(cell, code):
    with pytest.raises(CellFault) as fault:
        values.id_number(cell if isinstance(cell, list) else ["t", cell])
    assert fault.value.code == code


def test_full_width_figures_are_put_right_and_counted():
    value = values.id_number(["t", "３５０２０３１９５３０３０８４０６５"])
    assert (value.meaning, value.repair) == ("350203195303084065", "width")


@pytest.mark.parametrize("cell", ["13859210466", ["n", "13859210466"], "138 5921 0466", "+86 138-5921-0466"])
def test_a_telephone_is_read_as_text_or_number(cell):
    assert meaning(values.telephone, cell) == "+8613859210466"


@pytest.mark.parametrize(
    "cell", ["08:30-11:30", "8:30~11:30", "8点半到11点半", "8:30 — 11:30", "0830-1130", "８：３０－１１：３０"]
)
def test_a_span_of_time_is_read_in_every_usual_spelling(cell):
    assert meaning(values.time_span, cell) == (510, 690)


@pytest.mark.parametrize(("cell", "code"), [("上午", "span"), ("11:30-08:30", "span_order"), ("25:00-26:00", "span")])
def test_a_span_that_is_none_is_refused(cell, code):
    with pytest.raises(CellFault) as fault:
        values.time_span(["t", cell])
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("一次", None),
        ("每天", "FREQ=DAILY"),
        ("每周二、四", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("每周四、二", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("每星期一三五", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("每两周三", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        ("工作日", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every week on Tue and Thu", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("FREQ=WEEKLY;BYDAY=SU", "FREQ=WEEKLY;BYDAY=SU"),
    ],
)
def test_how_often_is_read_in_the_words_of_rosters(cell, rule):
    assert meaning(recurrence, cell) == rule


def test_a_word_that_is_nearly_known_is_offered():
    with pytest.raises(CellFault) as fault:
        values.choice({"重度残疾": 1, "低保": 2})(["t", "重度残废"])
    assert fault.value.fix == "重度残疾"
