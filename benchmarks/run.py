"""What Stanchion does beside what HTTP alone costs, on this machine, in one run.

    make bench            or: python benchmarks/run.py [--seconds 5] [--rounds 3] [--connections 64,256]

The server has one core and wrk the other. Rounds go A B A B, so that what else the machine does hits both alike; what
counts is the ratio of the medians. The raw figures go to benchmarks/raw/.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SERVER_CORE, LOAD_CORE = "0", "1"
ACCOUNT, KEY_ID, SECRET, REGION = "123456789012", "AKIABENCHMARK0000000", "a-secret-for-the-benchmark", "us-east-1"
ECHO_PORT = 9399


def pinned(core: str, command: list[str]) -> list[str]:
    return ["taskset", "-c", core, *command] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else command


@contextmanager
def process(command: list[str], folder: Path) -> Iterator[str]:
    """A server on its core, once it says that it is ready; the URL that it names, if it names one."""
    running = subprocess.Popen(pinned(SERVER_CORE, command), cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        for line in running.stdout:
            found = re.search(r"http://\S+", line)
            if found or line.startswith("ready"):
                yield found[0] if found else f"http://127.0.0.1:{ECHO_PORT}"
                return
        raise SystemExit(f"{command} did not start")
    finally:
        running.terminate()
        running.wait()


def stanchion(folder: Path) -> list[str]:
    keys = folder / "keys"
    keys.write_text(
        f"[bench]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\naws_account_id = {ACCOUNT}\n"
    )
    store = f"sqlite:{folder / 'bench.db'}"
    return [sys.executable, "-m", "stanchion", "serve", "--port", "0", "--store", store, "--credentials", str(keys)]


def load(script: str, url: str, connections: int, seconds: int, *arguments: str) -> dict[str, Any]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "load" / script), url]
    done = subprocess.run(pinned(LOAD_CORE, [*command, "--", *arguments]), capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if figures["bad_status"] or figures["broken"]:
        raise SystemExit(f"{script}: errors in the run: {figures}")
    return figures | {
        "script": script,
        "connections": connections,
        "per_second": figures["requests"] / figures["seconds"],
    }


def create_queue(url: str) -> str:
    """A queue, by a request that boto signs as any client would."""
    import boto3

    client = boto3.client(
        "sqs",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    return str(client.create_queue(QueueName=f"bench-{time.time_ns()}")["QueueUrl"])


def measure(connections: int, rounds: int, seconds: int) -> list[dict[str, Any]]:
    results = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        echo = [sys.executable, str(HERE / "echo.py"), "--port", str(ECHO_PORT)]
        for _ in range(rounds):
            with process(echo, Path(folder)) as url:
                results.append(load("echo.lua", url, connections, seconds))
            with process(stanchion(Path(folder)), Path(folder)) as url:
                arguments = (create_queue(url), KEY_ID, SECRET, REGION)
                results.append(load("cycle.lua", url, connections, seconds, *arguments))
    return results


def median(results: list[dict[str, Any]], script: str, figure: str) -> float:
    return statistics.median(each[figure] for each in results if each["script"] == script)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", default="64,256")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    everything = []
    print("connections  echo/s  cycle/s  ratio  p50 ms  p99 ms")
    for connections in map(int, options.connections.split(",")):
        results = measure(connections, options.rounds, options.seconds)
        everything += results
        echo, cycle = median(results, "echo.lua", "per_second"), median(results, "cycle.lua", "per_second")
        p50, p99 = median(results, "cycle.lua", "p50_ms"), median(results, "cycle.lua", "p99_ms")
        print(f"{connections:11d} {echo:7.0f} {cycle:8.0f} {cycle / echo:6.2f} {p50:7.1f} {p99:7.1f}")
    raw = HERE / "raw"
    raw.mkdir(exist_ok=True)
    (raw / f"cycle-{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
