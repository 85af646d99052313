"""A queue with a history: readings of minutes that have gone by, written as the server would."""

from stanchion.model import QueueKey, Tally
from support.console_visit import REGION, ConsoleUnderTest

ACCOUNT = "000000000000"


def record(console: ConsoleUnderTest, minute: int, tallies: dict[str, Tally]) -> None:
    """Record a minute of the named queues. What a queue holds is what it holds now."""
    store = console.server.application.store
    keys = {QueueKey(ACCOUNT, REGION, name): tally for name, tally in tallies.items()}

    async def all_of_them() -> None:
        after = 0
        while after is not None:
            after = await store.record(minute, keys, after, minute * 60_000)

    console.server.run(all_of_them())
