"""The verbs on queues: create, delete, describe, configure, list, purge, tags, permissions."""

from collections.abc import Callable, Sequence
from typing import Final

from stanchion import ids, limits
from stanchion.actions import (
    AddPermissionInput,
    CreateQueueInput,
    CreateQueueOutput,
    GetQueueAttributesInput,
    GetQueueAttributesOutput,
    GetQueueUrlInput,
    GetQueueUrlOutput,
    ListDeadLetterSourceQueuesInput,
    ListDeadLetterSourceQueuesOutput,
    ListQueuesInput,
    ListQueuesOutput,
    ListQueueTagsOutput,
    RemovePermissionInput,
    SetQueueAttributesInput,
    Shape,
    TagQueueInput,
    UntagQueueInput,
)
from stanchion.broker.request import Request, Tools
from stanchion.engine import access_policy, attributes, redrive, tags
from stanchion.errors import (
    InvalidParameterValue,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)
from stanchion.model import Queue, QueueKey
from stanchion.store.base import Directory, QueueChange, QueueDraft

_NOT_OURS: Final = "Invalid or expired next token."
_OTHER_PARAMETERS: Final = (
    "Invalid NextToken value. If you are passing in NextToken, you must not change the other request parameters."
)


class QueueVerbs:
    def __init__(self, tools: Tools, hurry: Callable[[], None]) -> None:
        self._store = tools.store
        self._rules = tools.rules
        self._meters = tools.meters
        self._hurry = hurry  # housekeeping removes messages: let it look at once

    # Life of a queue

    async def create_queue(self, request: Request) -> Shape:
        request.admit_signed()
        asked: CreateQueueInput = request.input
        key = QueueKey(request.caller.account, request.caller.region, asked.queue_name or "")
        await self.ensure_queue(key, asked, request.now_ms)
        return CreateQueueOutput(queue_url=ids.queue_url(request.context.base_url, key))

    async def ensure_queue(self, key: QueueKey, asked: CreateQueueInput, now_ms: int) -> Queue:
        """Create a queue, or answer the existing one when what is asked agrees with it."""

        def decide(directory: Directory) -> Queue | QueueDraft:
            wanted = attributes.check_create(asked.queue_name, asked.attributes)
            wanted_tags = tags.check_created(asked.create_tags, key.name)
            self._check_name_is_free(directory, key, now_ms)
            existing = directory.find(key)
            if existing is not None:
                return _agreeing(existing, asked)
            _check_dead_letter_target(directory, key, wanted, asked.attributes)
            return QueueDraft(wanted, wanted_tags)

        return await self._store.create_queue(key, decide, now_ms)

    async def declare_queue(self, key: QueueKey, wanted: CreateQueueInput, now_ms: int) -> None:
        """Make a queue be as the operator declared it: created when absent, else changed where it differs."""
        try:
            existing = await self._store.find_queue(key, lambda _queue: None)
        except QueueDoesNotExist:
            await self.ensure_queue(key, wanted, now_ms)
            return
        given = {name: value for name, value in (wanted.attributes or {}).items() if name != "FifoQueue"}
        wanted_tags = {**existing.tags, **tags.check_created(wanted.create_tags, key.name)}

        def decide(queue: Queue, directory: Directory) -> QueueChange:
            changed = attributes.check_change(queue.attributes, given) if given else queue.attributes
            _check_dead_letter_target(directory, key, changed, given)
            return QueueChange(changed, wanted_tags, modified=changed != queue.attributes)

        await self._store.change_queue(key, decide, now_ms)

    def _check_name_is_free(self, directory: Directory, key: QueueKey, now_ms: int) -> None:
        wait_seconds = self._rules.recreate_wait_seconds
        deleted_at_ms = directory.deleted_at_ms(key)
        if deleted_at_ms is not None and now_ms < deleted_at_ms + wait_seconds * 1000:
            raise QueueDeletedRecently(wait_seconds)

    async def delete_queue(self, request: Request) -> None:
        key = request.queue_key()
        await self._store.delete_queue(key, request.admit, request.now_ms)
        self._meters.forget(key)
        self._hurry()

    async def purge_queue(self, request: Request) -> None:
        interval_seconds = self._rules.purge_interval_seconds

        def admit(queue: Queue) -> None:
            request.admit(queue)
            purged_at_ms = queue.purged_at_ms
            if purged_at_ms is not None and request.now_ms < purged_at_ms + interval_seconds * 1000:
                raise PurgeQueueInProgress(queue.key.name, interval_seconds)

        await self._store.purge_queue(request.queue_key(), admit, request.now_ms)
        self._hurry()

    # Attributes

    async def get_queue_attributes(self, request: Request) -> Shape:
        asked: GetQueueAttributesInput = request.input
        status = await self._store.queue_status(request.queue_key(), request.admit, request.now_ms)
        described = attributes.describe(status.queue, status.counts, asked.attribute_names)
        return GetQueueAttributesOutput(attributes=described or None)

    async def set_queue_attributes(self, request: Request) -> None:
        asked: SetQueueAttributesInput = request.input

        def decide(queue: Queue, directory: Directory) -> QueueChange:
            request.admit(queue)
            changed = attributes.check_change(queue.attributes, asked.attributes)
            _check_dead_letter_target(directory, queue.key, changed, asked.attributes)
            return QueueChange(changed, queue.tags, modified=True)

        await self._store.change_queue(request.queue_key(), decide, request.now_ms)
        self._hurry()  # a shorter retention period may let messages expire now

    # Permissions

    async def add_permission(self, request: Request) -> None:
        asked: AddPermissionInput = request.input
        await self._change_policy(
            request,
            lambda queue: access_policy.add_permission(
                queue.attributes.get("Policy"), queue.arn, asked.label, asked.aws_account_ids, asked.actions
            ),
        )

    async def remove_permission(self, request: Request) -> None:
        asked: RemovePermissionInput = request.input
        await self._change_policy(
            request, lambda queue: access_policy.remove_permission(queue.attributes.get("Policy"), asked.label)
        )

    async def _change_policy(self, request: Request, change: Callable[[Queue], str | None]) -> None:
        def decide(queue: Queue, _directory: Directory) -> QueueChange:
            request.admit(queue)
            policy = change(queue)
            changed = {name: value for name, value in queue.attributes.items() if name != "Policy"}
            if policy is not None:
                changed["Policy"] = policy
            return QueueChange(changed, queue.tags, modified=True)

        await self._store.change_queue(request.queue_key(), decide, request.now_ms)
        self._hurry()  # a shorter retention period may let messages expire now

    # Tags

    async def list_queue_tags(self, request: Request) -> Shape:
        queue = await self._store.find_queue(request.queue_key(), request.admit)
        return ListQueueTagsOutput(tags=queue.tags or None)

    async def tag_queue(self, request: Request) -> None:
        asked: TagQueueInput = request.input
        await self._change_tags(request, lambda queue: tags.check_new(queue.tags, asked.tags, queue.key.name))

    async def untag_queue(self, request: Request) -> None:
        asked: UntagQueueInput = request.input
        await self._change_tags(request, lambda queue: tags.without(queue.tags, asked.tag_keys))

    async def _change_tags(self, request: Request, change: Callable[[Queue], dict[str, str]]) -> None:
        def decide(queue: Queue, _directory: Directory) -> QueueChange:
            request.admit(queue)
            return QueueChange(queue.attributes, change(queue), modified=False)

        await self._store.change_queue(request.queue_key(), decide, request.now_ms)

    # Finding queues

    async def get_queue_url(self, request: Request) -> Shape:
        asked: GetQueueUrlInput = request.input
        if not asked.queue_name:
            raise InvalidParameterValue(
                "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
            )
        account = asked.queue_owner_aws_account_id or request.caller.account
        key = QueueKey(account, request.caller.region, asked.queue_name)
        await self._store.find_queue(key, request.admit)
        return GetQueueUrlOutput(queue_url=ids.queue_url(request.context.base_url, key))

    async def list_queues(self, request: Request) -> Shape:
        request.admit_signed()
        asked: ListQueuesInput = request.input
        account, region, prefix = request.caller.account, request.caller.region, asked.queue_name_prefix or ""
        page = _Page(f"{account} {region} {prefix}", asked.max_results, asked.next_token)
        found = await self._store.list_queues(account, region, prefix, page.after, page.limit + 1)
        urls, token = page.cut(found, request)
        return ListQueuesOutput(queue_urls=urls, next_token=token)

    async def list_dead_letter_source_queues(self, request: Request) -> Shape:
        asked: ListDeadLetterSourceQueuesInput = request.input
        key = request.queue_key()
        page = _Page(ids.queue_arn(key), asked.max_results, asked.next_token)
        found = await self._store.list_dead_letter_sources(key, request.admit, page.after, page.limit + 1)
        urls, token = page.cut(found, request)
        return ListDeadLetterSourceQueuesOutput(source_queue_urls=urls, next_token=token)


def _agreeing(existing: Queue, asked: CreateQueueInput) -> Queue:
    differing = attributes.first_difference(existing, asked.attributes or {})
    if differing is not None:
        raise QueueNameExists(differing)
    return existing


def _check_dead_letter_target(
    directory: Directory, source: QueueKey, wanted: dict[str, str], given: dict[str, str] | None
) -> None:
    """When a call sets a RedrivePolicy, the queue it names must exist and fit."""
    text = (given or {}).get("RedrivePolicy")
    policy = attributes.settings_of(wanted).redrive_policy
    if text and policy is not None:
        target = directory.find(redrive.target_key(policy))
        redrive.check_target(source, attributes.is_fifo(wanted), text, policy, target)


class _Page:
    """One page of a list. ``scope`` is what the other parameters say; a token is good for the same scope only."""

    def __init__(self, scope: str, max_results: int | None, token: str | None) -> None:
        if max_results is not None and not 1 <= max_results <= limits.LIST_RESULTS:
            raise InvalidParameterValue(
                "Value for parameter MaxResults is invalid. "
                f"Reason: MaxResults must be an integer between 1 and {limits.LIST_RESULTS}."
            )
        self.limit = max_results or limits.LIST_RESULTS
        self._scope = scope
        self._endless = max_results is None  # without MaxResults there is one page and never a token
        self.after = self._read(token) if token else ""

    def _read(self, token: str) -> str:
        read = ids.read_page_token(token)
        if read is None:
            raise InvalidParameterValue(_NOT_OURS)
        scope, after = read
        if scope != self._scope:
            raise InvalidParameterValue(_OTHER_PARAMETERS)
        return after

    def cut(self, found: Sequence[Queue], request: Request) -> tuple[list[str] | None, str | None]:
        """The URLs of the page, None for none, and the token of the next page. ``found`` is one more than fits."""
        shown = found[: self.limit]
        urls = [ids.queue_url(request.context.base_url, queue.key) for queue in shown]
        more = len(found) > self.limit and not self._endless
        return urls or None, ids.page_token(self._scope, shown[-1].key.name) if more else None
