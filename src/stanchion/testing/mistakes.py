"""What people get wrong when they work a server for tests."""


class Mistake(ValueError):
    """Something was asked for that cannot be. One line: what is wrong, and the cure."""
