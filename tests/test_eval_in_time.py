"""Work on many items: several at a time, each within its time."""

import threading

import pytest

from eval.runs.in_time import in_time


def test_every_item_is_done() -> None:
    done = in_time(lambda item, _stop: item * 2, range(20), workers=3, seconds=60)
    assert sorted(done) == [(item, item * 2) for item in range(20)]


def test_one_worker_keeps_the_order() -> None:
    done = in_time(lambda item, _stop: item, [3, 1, 2], workers=1, seconds=60)
    assert [each.item for each in done] == [3, 1, 2]


def test_several_are_worked_on_at_a_time() -> None:
    meeting = threading.Barrier(3, timeout=60)
    done = in_time(lambda _item, _stop: meeting.wait() >= 0, range(3), workers=3, seconds=120)
    assert all(each.result for each in done)


def test_no_more_than_allowed_are_worked_on() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_item: int, _stop: threading.Event) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    list(in_time(work, range(10), workers=2, seconds=60))
    assert most <= 2


def test_who_takes_too_long_is_told_and_given_up() -> None:
    told = threading.Event()

    def work(item: str, stop: threading.Event) -> str:
        if item == "slow":
            stop.wait(60)
            told.set()
        return item

    done = list(in_time(work, ["slow", "quick"], workers=1, seconds=0.2))
    assert done == [("slow", None), ("quick", "quick")]
    assert told.wait(60)


def test_an_error_ends_it_all() -> None:
    def work(item: int, _stop: threading.Event) -> int:
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        list(in_time(work, range(5), workers=1, seconds=60))
