"""Ctrl+C while Dask's own loop has work waiting."""

import logging
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from distributed.utils import LoopRunner, sync
from tornado.ioloop import IOLoop

from grocery_demand.cluster.errors import say_what_is_wrong


@pytest.fixture
def loop() -> Iterator[IOLoop]:
    runner = LoopRunner()
    runner.start()
    yield runner.loop
    runner.stop()


@pytest.fixture(autouse=True)
def nothing_left_out():
    """Begin and end without the filters of others."""
    log = logging.getLogger("tornado.application")
    before, log.filters = log.filters, []
    yield
    log.filters = before


class InterruptedAtOnce(threading.Event):
    """Ctrl+C before the loop has begun what it is asked."""

    def wait(self, timeout=None):
        raise KeyboardInterrupt


async def answer() -> int:
    return 1


def interrupt_before_it_begins(loop, monkeypatch) -> None:
    go_on = threading.Event()
    loop.add_callback(go_on.wait)
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Event", InterruptedAtOnce)
        with pytest.raises(KeyboardInterrupt):
            sync(loop, answer)
    go_on.set()
    assert sync(loop, answer) == 1  # the loop has come to what it was asked before


def test_an_interrupt_that_comes_early_is_told_as_an_error_by_dask(loop, monkeypatch, caplog):
    interrupt_before_it_begins(loop, monkeypatch)
    assert "Exception in callback" in caplog.text


def test_an_interrupt_that_comes_early_is_not_told_as_an_error(loop, monkeypatch, caplog):
    say_what_is_wrong()
    interrupt_before_it_begins(loop, monkeypatch)
    assert not caplog.records


def test_other_errors_of_callbacks_are_told(loop, caplog):
    say_what_is_wrong()
    loop.add_callback(lambda: 1 / 0)
    assert sync(loop, answer) == 1
    assert "ZeroDivisionError" in caplog.text
