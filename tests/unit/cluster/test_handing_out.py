"""Work is handed out in order, a few pieces at a time, and what is not wanted is ended."""

import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from grocery_demand.cluster.errors import ClusterError
from grocery_demand.cluster.handing_out import hand_out


class Bench:
    """Squares numbers, and keeps account of what is under way."""

    def __init__(self, broken: int = -1) -> None:
        self.given: list[int] = []
        self.under_way: set[int] = set()
        self.most = 0
        self.broken, self.ended = broken, []

    def give(self, number: int) -> int:
        self.given.append(number)
        self.under_way.add(number)
        self.most = max(self.most, len(self.under_way))
        return number

    def take(self, number: int) -> int:
        self.under_way.remove(number)
        if number == self.broken:
            raise ClusterError("lost")
        return number**2

    def hand_out(self, count: int, most: int):
        return hand_out(range(count), self.give, self.take, most, self.ended.extend)


@pytest.mark.parametrize(("count", "most"), [(0, 2), (1, 2), (7, 1), (7, 3), (3, 10)])
def test_answers_come_in_order_and_few_pieces_are_under_way(count, most):
    bench = Bench()
    assert list(bench.hand_out(count, most)) == [number**2 for number in range(count)]
    assert bench.most <= most
    assert (bench.under_way, bench.ended) == (set(), [])


def test_no_more_is_handed_out_than_is_asked_for():
    bench = Bench()
    answers = bench.hand_out(100, 4)
    assert [next(answers), next(answers)] == [0, 1]
    answers.close()
    assert bench.given == [0, 1, 2, 3, 4]
    assert bench.ended == [2, 3, 4]


def test_lost_work_is_not_waited_for():
    bench = Bench(broken=1)
    with pytest.raises(ClusterError):
        list(bench.hand_out(9, 3))
    assert bench.ended == []
