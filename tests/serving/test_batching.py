"""Requests that are there together share a call; each has its own outcome, its turn and its time."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.serving.asking import ask, frame, rows_of

from ganglion.deployment.serving.batching import Batcher
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits


async def answer_of(batcher, asked, n_rows):
    """Return the outcome of a request, or raise it."""
    outcome = asyncio.get_running_loop().create_future()
    batcher.put(asked, n_rows, outcome.set_result)
    found = await outcome
    if isinstance(found, BaseException):
        raise found
    return found


def run(main):
    """Return what `main(make)` returns, where `make(answerer, arriving, **limits)` is a batcher in a thread."""
    with ThreadPoolExecutor(1) as threads:

        async def within():
            return await main(
                lambda answerer, arriving=lambda: 0, **limits: Batcher(answerer, Limits(**limits), threads, arriving)
            )

        return asyncio.run(within())


def test_what_comes_while_the_model_works_is_answered_by_its_next_call():
    calls, gate = [], threading.Event()

    def answerer(batch):
        gate.wait(5)
        calls.append(list(batch))
        return [10 * each for each in batch]

    async def main(make):
        batcher = make(answerer)
        first = asyncio.ensure_future(answer_of(batcher, 1, 1))
        await asyncio.sleep(0.05)
        others = [asyncio.ensure_future(answer_of(batcher, i, 1)) for i in range(2, 6)]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(first, *others)

    assert run(main) == [10, 20, 30, 40, 50]
    assert calls == [[1], [2, 3, 4, 5]]


def test_a_batch_has_at_most_so_many_rows_and_order_is_kept():
    calls = []

    def answerer(batch):
        calls.append(list(batch))
        return batch

    async def main(make):
        batcher = make(answerer, batch_rows=4)
        sizes = [3, 2, 2, 9, 1]
        return await asyncio.gather(*(answer_of(batcher, size, size) for size in sizes))

    assert run(main) == [3, 2, 2, 9, 1]
    assert calls == [[3], [2, 2], [9], [1]]


def test_a_single_request_does_not_wait_for_others_that_are_not_there():
    async def main(make):
        batcher = make(lambda batch: batch, wait_s=5.0)
        start = time.monotonic()
        await answer_of(batcher, 1, 1)
        return time.monotonic() - start

    assert run(main) < 1.0


def test_others_on_their_way_are_waited_for_up_to_the_deadline():
    calls, arriving = [], [1]

    def answerer(batch):
        calls.append(len(batch))
        return batch

    async def main(make):
        batcher = make(answerer, arriving=lambda: arriving[0], wait_s=0.2)
        first = asyncio.ensure_future(answer_of(batcher, 1, 1))
        await asyncio.sleep(0.02)
        arriving[0] = 0
        await asyncio.gather(first, answer_of(batcher, 2, 1))
        arriving[0] = 1
        start = time.monotonic()
        await answer_of(batcher, 3, 1)
        return time.monotonic() - start

    waited = run(main)
    assert calls == [2, 1]
    assert 0.15 < waited < 2.0


def test_one_more_than_the_queue_holds_is_told_to_come_back():
    gate = threading.Event()

    async def main(make):
        batcher = make(lambda batch: [gate.wait(5) for _ in batch], queue=3)
        first = asyncio.ensure_future(answer_of(batcher, 0, 1))
        await asyncio.sleep(0.05)
        waiting = [asyncio.ensure_future(answer_of(batcher, i, 1)) for i in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as caught:
            await answer_of(batcher, 9, 1)
        gate.set()
        await asyncio.gather(first, *waiting)
        return caught.value

    refused = run(main)
    assert refused.status == 503
    assert refused.headers == {"retry-after": "1"}


def test_what_takes_too_long_is_given_up_and_not_asked_later():
    asked = []

    def answerer(batch):
        asked.extend(batch)
        time.sleep(0.3)
        return batch

    async def main(make):
        batcher = make(answerer, answer_s=0.1)
        outcomes = await asyncio.gather(answer_of(batcher, 1, 1), self_later(batcher, 2), return_exceptions=True)
        await asyncio.sleep(0.5)
        return outcomes

    async def self_later(batcher, what):
        await asyncio.sleep(0.05)
        return await answer_of(batcher, what, 1)

    outcomes = run(main)
    assert [outcome.status for outcome in outcomes] == [504, 504]
    assert asked == [1]


def test_an_error_of_the_model_reaches_all_that_asked():
    def answerer(batch):
        raise ZeroDivisionError

    async def main(make):
        batcher = make(answerer)
        return await asyncio.gather(*(answer_of(batcher, i, 1) for i in range(3)), return_exceptions=True)

    assert [type(each) for each in run(main)] == [ZeroDivisionError] * 3


def test_a_wrong_row_spoils_its_own_request_only(table_service, mixed):
    tables = [frame(n, seed=n) for n in (1, 3, 2, 5)]
    bodies = [rows_of(table) for table in tables]
    bodies[2][1]["size"] = "large"
    answers = ask(table_service, *(("POST", "/predict", {"json": body}) for body in bodies))
    assert [answer.status_code for answer in answers] == [200, 200, 422, 200]
    assert answers[2].json()["row"] == 1
    for i in (0, 1, 3):
        np.testing.assert_allclose(answers[i].json()["probabilities"], mixed.predict_proba(tables[i]), atol=1e-6)


def test_requests_that_come_together_share_calls(table_service):
    rows = rows_of(frame(40))
    ask(table_service, *(("POST", "/predict", {"json": row}) for row in rows))
    batcher = table_service.shelf.find().batcher
    assert batcher.rows == 40
    assert batcher.batches < 20


@pytest.mark.parametrize(
    ("quick", "seconds", "in_a_thread"), [(True, 0.0, False), (True, 0.02, True), (False, 0.0, True)]
)
def test_short_calls_are_made_at_once_and_long_ones_in_a_thread(quick, seconds, in_a_thread):
    where = []

    def answerer(batch):
        end = time.thread_time() + seconds
        while time.thread_time() < end:  # what others take of the processor meanwhile does not count
            pass
        where.append(threading.current_thread() is threading.main_thread())
        return batch

    with ThreadPoolExecutor(1) as threads:

        async def main():
            batcher = Batcher(answerer, Limits(), threads, is_quick=lambda asked: quick)
            for i in range(30):
                assert await answer_of(batcher, i, 1) == i

        asyncio.run(main())
    assert where[-1] == (not in_a_thread)


def test_an_error_of_a_short_call_reaches_who_asked():
    def answerer(batch):
        if batch == [9]:
            raise ZeroDivisionError
        return batch

    with ThreadPoolExecutor(1) as threads:

        async def main():
            batcher = Batcher(answerer, Limits(), threads, is_quick=lambda asked: True)
            for i in range(30):
                if i == 9:
                    with pytest.raises(ZeroDivisionError):
                        await answer_of(batcher, i, 1)
                else:
                    assert await answer_of(batcher, i, 1) == i

        asyncio.run(main())
