"""Fair queues: on a standard queue, messages of a noisy group do not hold up the others.

A message group id on a standard queue names a tenant. A tenant with too much in flight is noisy, and while
it is, the other tenants' messages are delivered first. Messages without a group are each a tenant of their own.
"""

from stanchion import limits

# A noisy group has more than a tenth of everything in flight, so at most nine groups can be noisy at once:
# looking past this many candidates always finds a quiet one, if there is any.
NOISY_GROUPS = 9


def is_noisy(*, group_in_flight: int, all_in_flight: int) -> bool:
    return (
        group_in_flight >= limits.NOISY_GROUP_MIN_IN_FLIGHT
        and group_in_flight > limits.NOISY_GROUP_SHARE * all_in_flight
    )
