"""What the commands that work on the queues of any SQS endpoint share."""
