"""Move tasks: how fast they go and when they end."""

from stanchion import limits
from stanchion.model import MoveTask

STEP = 25  # messages that a task without a rate of its own moves in one step: about a millisecond of work
PAUSE_MS = 1  # between such steps, so that others get their turn

COULD_NOT_DETERMINE_SOURCE = "CouldNotDetermineMessageSource"
TOO_LONG = "TaskTimedOut"


def allowance(task: MoveTask, now_ms: int) -> int:
    """How many messages the task may move now.

    With a rate of n, n messages fit in every second, the first at once: message k goes at second (k-1)/n.
    """
    left = task.to_move - task.moved
    if task.max_per_second is None:
        return min(left, STEP)
    elapsed_ms = max(0, now_ms - task.started_at_ms)
    so_far = elapsed_ms * task.max_per_second // 1000 + 1
    return max(0, min(left, so_far - task.moved, STEP))


def next_step_ms(task: MoveTask, now_ms: int) -> int:
    """When to come back to a task that is not finished."""
    if task.max_per_second is None:
        return now_ms + PAUSE_MS
    # The moment at which message number moved+1 is allowed, rounded up to a whole millisecond.
    return max(now_ms + 1, task.started_at_ms - (-task.moved * 1000 // task.max_per_second))


def is_overlong(task: MoveTask, now_ms: int) -> bool:
    return now_ms > task.started_at_ms + limits.MOVE_TASK_HOURS * 3_600_000
