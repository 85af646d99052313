"""What several of these tests need."""

import threading


def bodies(answer):
    return [message["Body"] for message in answer.get("Messages", [])]


def in_the_background(work):
    """Do it in a thread; answers a function that waits for the result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()

    def result():
        thread.join(10)
        assert results, "still waiting"
        return results[0]

    return result
