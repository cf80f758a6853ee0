"""A crew answers in time or says that it cannot, whatever its calls do."""

import asyncio
import sys
import threading

import pytest

from trimtab.loop.serve.crew import Crew, Full, Overdue, Panic


def run(story):
    async def told():
        crew = Crew("test", 2, most_waiting=3)
        try:
            return await story(crew)
        finally:
            crew.close()

    return asyncio.run(told())


def test_results_and_errors_come_back():
    async def story(crew):
        assert await crew.do(lambda: 7, seconds=5) == 7
        with pytest.raises(ZeroDivisionError):
            await crew.do(lambda: 1 // 0, seconds=5)

    run(story)


def test_a_call_that_wants_to_end_the_process_does_not():
    async def story(crew):
        with pytest.raises(Panic, match="SystemExit"):
            await crew.do(lambda: sys.exit(3), seconds=5)

    run(story)


def test_when_all_threads_hang_the_next_call_is_refused_at_once():
    gate, ended = threading.Event(), []

    async def story(crew):
        for _ in range(2):
            with pytest.raises(Overdue, match="no answer within"):
                await crew.do(lambda: gate.wait(30), seconds=0.01, after=lambda: ended.append("hung"))
        with pytest.raises(Overdue, match="still busy"):
            await crew.do(lambda: 1, seconds=60, after=lambda: ended.append("refused"))
        assert ended == ["refused"]
        gate.set()
        while len(ended) < 3:
            await asyncio.sleep(0.001)
        assert await crew.do(lambda: 8, seconds=5) == 8, "it works again once they let go"

    run(story)


def test_a_call_that_never_began_is_given_up_and_ends_too():
    gate, ended = threading.Event(), []

    async def story(crew):
        hung = [asyncio.ensure_future(crew.do(lambda: gate.wait(30), seconds=30)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overdue):
            await crew.do(lambda: ended.append("ran"), seconds=0.01, after=lambda: ended.append("after"))
        gate.set()
        await asyncio.gather(*hung)
        assert ended == ["after"]

    run(story)


def test_more_than_may_wait_is_refused():
    gate = threading.Event()

    async def story(crew):
        hung = [asyncio.ensure_future(crew.do(lambda: gate.wait(30), seconds=30)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Full):
            await crew.do(lambda: 1, seconds=30)
        gate.set()
        await asyncio.gather(*hung)

    run(story)
