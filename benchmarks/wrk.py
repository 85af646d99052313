"""Load from wrk: what its scripts in load/ measured and counted."""

import json
import shutil
import subprocess
from typing import Any

from servers import HERE, KEY_ID, REGION, SECRET, Server

Figures = dict[str, Any]
_OF_MESSAGES = ("sent", "received", "deleted", "empty")


class RunFailed(Exception):
    """Calls failed that should not have, or nothing was done."""


def check_installed() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")


def load(server: Server, script: str, connections: int, seconds: int, *arguments: str) -> Figures:
    """Raw figures of one run, and requests, sends, receives and deletions per second."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(HERE / "load" / script), server.url, "--", *arguments]
    cpu_before = server.cpu_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu_seconds = server.cpu_seconds() - cpu_before
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    ran = figures["seconds"]
    counts = ("requests", "sent", "received", "deleted")
    per_second = {f"{count}_per_second": figures[count] / ran for count in counts}
    return figures | per_second | {"connections": connections, "server_cpu": cpu_seconds / ran}


def echo(server: Server, connections: int, seconds: int) -> Figures:
    figures = _checked(load(server, "echo.lua", connections, seconds))
    return {name: value for name, value in figures.items() if not name.startswith(_OF_MESSAGES)}


def cycle(server: Server, queue_url: str, connections: int, seconds: int, *options: str) -> Figures:
    """Send, receive, delete. ``options`` as in load/calls.lua."""
    figures = _checked(load(server, "cycle.lua", connections, seconds, *_call_arguments(queue_url, options)))
    if not figures["received"] or not figures["deleted"]:
        raise RunFailed(f"nothing was received: {figures}")
    return figures


def verb(server: Server, queue_url: str, connections: int, seconds: int, verb: str, *options: str) -> Figures:
    """One of send, receive and delete alone."""
    arguments = _call_arguments(queue_url, (f"verb={verb}", *options))
    figures = _checked(load(server, "verb.lua", connections, seconds, *arguments))
    done = {"send": "sent", "receive": "received", "delete": "deleted"}[verb]
    if figures[done] < figures["requests"] * 0.9:
        raise RunFailed(f"{verb}: {figures[done]} messages with {figures['requests']} requests: {figures}")
    return figures


def _call_arguments(queue_url: str, options: tuple[str, ...]) -> tuple[str, ...]:
    return (queue_url, KEY_ID, SECRET, REGION, *options)


def _checked(figures: Figures) -> Figures:
    if figures["bad_status"] or figures["broken"] or figures["failed"]:
        raise RunFailed(f"errors in the run: {figures}")
    return figures
