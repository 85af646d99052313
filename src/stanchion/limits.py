"""Every published number of Amazon SQS, and the bounds of this server, each named once.

Sources: the service's quota pages and API reference. Times carry their unit in the name.
"""

from typing import Final

# Queues
QUEUE_NAME_LENGTH: Final = 80
TAGS_PER_QUEUE: Final = 50
TAG_KEY_LENGTH: Final = 128
TAG_VALUE_LENGTH: Final = 256
RECREATE_AFTER_DELETE_SECONDS: Final = 60
PURGE_INTERVAL_SECONDS: Final = 60

# Messages
MESSAGE_BYTES: Final = 1_048_576
MESSAGE_BYTES_SMALLEST_MAXIMUM: Final = 1_024  # lowest value that MaximumMessageSize may take
MESSAGE_ATTRIBUTES: Final = 10
ATTRIBUTE_NAME_LENGTH: Final = 256
ATTRIBUTE_TYPE_LENGTH: Final = 256
IDENTIFIER_LENGTH: Final = 128  # message group id, deduplication id, receive request attempt id

# Batches
BATCH_ENTRIES: Final = 10
BATCH_BYTES: Final = 1_048_576
BATCH_ENTRY_ID_LENGTH: Final = 80

# Times
DELAY_SECONDS: Final = 900
VISIBILITY_SECONDS: Final = 43_200
VISIBILITY_DEFAULT_SECONDS: Final = 30
WAIT_SECONDS: Final = 20
RETENTION_MIN_SECONDS: Final = 60
RETENTION_MAX_SECONDS: Final = 1_209_600
RETENTION_DEFAULT_SECONDS: Final = 345_600
DEDUPLICATION_MS: Final = 300_000
RECEIVE_ATTEMPT_MS: Final = 300_000

# Delivery
RECEIVE_MESSAGES: Final = 10
IN_FLIGHT: Final = 120_000
MAX_RECEIVE_COUNT: Final = 1_000
REDRIVE_ALLOW_SOURCES: Final = 10
NOISY_GROUP_MIN_IN_FLIGHT: Final = 30
NOISY_GROUP_SHARE: Final = 0.10

# Encryption attributes
KMS_REUSE_MIN_SECONDS: Final = 60
KMS_REUSE_MAX_SECONDS: Final = 86_400
KMS_REUSE_DEFAULT_SECONDS: Final = 300

# Policies
POLICY_BYTES: Final = 8_192
POLICY_STATEMENTS: Final = 20
POLICY_PRINCIPALS: Final = 50
POLICY_CONDITIONS: Final = 10
PERMISSION_ACTIONS: Final = 7

# Pages
LIST_RESULTS: Final = 1_000
MOVE_TASK_RESULTS: Final = 10

# Move tasks
MOVE_TASKS_PER_ACCOUNT: Final = 100
MOVE_MESSAGES_PER_SECOND: Final = 500
MOVE_TASK_HOURS: Final = 36

# Signatures
CLOCK_SKEW_SECONDS: Final = 900
PRESIGNED_SECONDS: Final = 604_800
