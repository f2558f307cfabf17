"""From offsets to boxes on the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.parse.places import boxes
from assistant.records import Line

TEXT = "one three five seven nine"
LINES = (
    Line(page=1, start=0, end=9, y0=100, y1=110, words=((0, 10, 40), (4, 50, 100))),
    Line(page=1, start=10, end=20, y0=88, y1=98, words=((0, 10, 50), (5, 60, 110))),
    Line(page=2, start=21, end=25, y0=700, y1=710, words=((0, 10, 50),)),
)


def test_a_word_gives_its_own_box():
    (box,) = boxes(LINES, 4, 9)
    assert (box.page, box.x0, box.y0, box.x1, box.y1) == (1, 50, 100, 100, 110)


def test_a_stretch_over_lines_gives_a_box_each():
    found = boxes(LINES, 4, 25)
    assert [(box.page, box.x0, box.x1) for box in found] == [
        (1, 50, 100),
        (1, 10, 110),
        (2, 10, 50),
    ]


def test_inside_a_word_edges_are_in_proportion():
    (box,) = boxes(LINES, 5, 7)
    assert (box.x0, box.x1) == (pytest.approx(60), pytest.approx(80))


def test_a_few_lines_of_many_do():
    assert boxes(LINES[1:], 10, 14) == boxes(LINES, 10, 14)


@pytest.mark.parametrize(("start", "end"), [(3, 4), (9, 10), (25, 40), (7, 7)])
def test_what_holds_no_word_has_no_box(start, end):
    assert boxes(LINES, start, end) == ()


@given(st.integers(0, 25), st.integers(0, 25))
def test_boxes_stay_within_their_lines(start, end):
    for box in boxes(LINES, start, end):
        (line,) = (line for line in LINES if line.y0 == box.y0)
        assert line.words[0][1] <= box.x0 <= box.x1 <= line.words[-1][2]
