"""Clients that send many requests in one go, and clients that send one."""

from collections import Counter

from server.harness import Bench, get
from stanchion.server.http import Limits

SHARED = 256  # requests that may be under way over all connections, when each has more than one
GREEDY = 8
MANY = 200


def under_way(bench: Bench, answered: int) -> Counter[str]:
    """By path, the requests that have no answer yet when the first ``answered`` of those held have one."""
    return Counter(held.request.path for held in bench.service.held[answered:])


async def greedy_crowd(bench: Bench) -> list:
    clients = [await bench.client() for _ in range(GREEDY)]
    for number, client in enumerate(clients):
        client.send(get(f"/hold/{number}") * MANY)
    await bench.until(lambda: len(under_way(bench, 0)) == GREEDY)
    return clients


def test_a_connection_alone_may_have_all_its_requests_under_way(play):
    async def scenario(bench):
        client = await bench.client()
        client.send(get("/hold") * 40)
        await bench.service.arrival_of(40)

    play(scenario, Limits(max_pipelined=40))


def test_connections_that_work_at_the_same_time_share_what_may_be_under_way(play):
    async def scenario(bench):
        await greedy_crowd(bench)
        answered = 0
        while answered < GREEDY * 64:  # those who came first had more, as long as they were alone
            await bench.service.arrival_of(answered + 1)
            bench.service.held[answered].answer()
            answered += 1
        await bench.until(lambda: len(under_way(bench, answered)) == GREEDY)
        assert set(under_way(bench, answered)) == {f"/hold/{number}" for number in range(GREEDY)}
        assert max(under_way(bench, answered).values()) <= SHARED // GREEDY

    play(scenario)


def test_a_client_with_one_request_gets_its_turn_whatever_the_others_have_sent(play):
    async def scenario(bench):
        await greedy_crowd(bench)
        modest = await bench.client()
        assert (await modest.ask(get("/modest"))).status == 200
        assert len(bench.service.held) <= GREEDY * 64

    play(scenario)


def test_every_connection_may_have_one_request_under_way_however_many_there_are(play):
    async def scenario(bench):
        clients = [await bench.client() for _ in range(SHARED + 20)]
        for client in clients:
            client.send(get("/hold") * 2)
        await bench.service.arrival_of(SHARED + 20)
        await bench.until(lambda: bench.server._hub.busy == SHARED + 20)
        before = len(bench.service.held)
        for held in list(bench.service.held):
            held.answer()
        await bench.service.arrival_of(2 * (SHARED + 20))
        assert before < 2 * (SHARED + 20)

    play(scenario)


def test_those_who_stay_take_the_share_of_those_who_are_done(play):
    async def scenario(bench):
        first, *_ = await greedy_crowd(bench)
        for number in range((GREEDY - 1) * MANY):
            await bench.until(lambda number=number: len(of_others(bench)) > number)
            of_others(bench)[number].answer()
        for number in range(MANY):
            await bench.until(lambda number=number: len(own(bench)) > number)
            own(bench)[number].answer(b"%d" % number)
            assert (await first.answer()).body == b"%d" % number
            assert len(own(bench)) >= min(number + 64, MANY)

    def own(bench: Bench) -> list:
        return [held for held in bench.service.held if held.request.path == "/hold/0"]

    def of_others(bench: Bench) -> list:
        return [held for held in bench.service.held if held.request.path != "/hold/0"]

    play(scenario)
