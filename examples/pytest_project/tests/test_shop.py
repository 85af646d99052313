"""The program itself. It makes its own clients: the environment leads them to the server of the test."""

import threading

import shop


def test_an_order_is_packed(sqs, sqs_server):
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    shop.place_order(queue, 7)
    packed = set()
    shop.pack_orders(queue, packed)
    assert packed == {7}
    sqs_server.wait_until_empty(queue, timeout=0)


def test_a_worker_that_waits_is_told_at_once(sqs, sqs_server):
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    packed = set()
    worker = threading.Thread(target=shop.pack_orders, args=(queue, packed))
    worker.start()
    shop.place_order(queue, 8)
    sqs_server.expect_message(queue, body='{"order": 8}')
    worker.join()
    sqs_server.wait_until_empty(queue)
    assert packed == {8}


def test_no_test_sees_what_another_has_left(sqs):
    assert "QueueUrls" not in sqs.list_queues()
