"""Which buttons a queue's policy leaves to a visitor. Pure."""

from collections.abc import Mapping
from typing import Final

_NEEDS: Final = {
    "edit": ("SetQueueAttributes", "GetQueueAttributes", "ListQueueTags"),
    "tags": ("TagQueue", "UntagQueue", "GetQueueAttributes", "ListQueueTags"),
    "delete": ("DeleteQueue",),
    "purge": ("PurgeQueue",),
    "messages": ("SendMessage", "ReceiveMessage"),
    "send": ("SendMessage",),
    "poll": ("ReceiveMessage", "ChangeMessageVisibility"),  # what is not deleted is made available again
    "delete_messages": ("DeleteMessage",),
    "peek": ("ReceiveMessage",),
    "redrive": ("StartMessageMoveTask", "GetQueueAttributes"),
    "cancel_redrive": ("CancelMessageMoveTask", "ListMessageMoveTasks"),
}
"""What a button asks of the API, by the button."""
_ONE_SUFFICES: Final = ("messages",)

ACTIONS_ASKED: Final = tuple(sorted({action for needs in _NEEDS.values() for action in needs}))


def denials(refused: Mapping[str, str]) -> dict[str, str]:
    """Why each button is of no use, "" when it is, from what the API says about each action that it refuses."""
    return {button: _denial(button, needs, refused) for button, needs in _NEEDS.items()}


def _denial(button: str, needs: tuple[str, ...], refused: Mapping[str, str]) -> str:
    denied = [action for action in needs if action in refused]
    if not denied or (button in _ONE_SUFFICES and len(denied) < len(needs)):
        return ""
    return f"{denied[0]} is denied. {refused[denied[0]]}"
