"""The other servers: how each is installed from its registry and started. Nothing of theirs is kept in the tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from servers import HERE, KEY_ID, SECRET

HOMES = HERE / ".peers"
_FILES = HERE / "peers"
_INSTALL_SECONDS = 900


class NotInstalled(Exception):
    """A server cannot be had here; says why."""


class Start(NamedTuple):
    """How a server is started on a port of loopback."""

    command: list[str | Path]
    environment: dict[str, str]


class Peer(NamedTuple):
    """``keeps``: where its messages are. ``home``: its folder in .peers, which variants of one server share.
    ``start`` takes the home, the port, and a folder for what the server writes.
    """

    name: str
    version: str
    keeps: str
    home: str
    install: Callable[[Path, str], None]
    start: Callable[[Path, int, Path], Start]


def installed(peer: Peer) -> Path:
    """The home of a server, which is installed if it is not there in this version."""
    home = HOMES / peer.home
    stamp = home / ".installed"
    if not stamp.exists() or stamp.read_text() != peer.version:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        peer.install(home, peer.version)
        stamp.write_text(peer.version)
    return home


def without_places(text: str) -> str:
    """The text without hosts and folders: reports are about servers, not about where this machine finds them."""
    return re.sub(r"https?://[^/\s'\"]+", "…", text).replace(str(HERE), "benchmarks")


def _run(home: Path, *command: str | Path, **environment: str) -> None:
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NotInstalled(f"{name} is missing") from None
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{name} took more than {_INSTALL_SECONDS} seconds") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1].strip()
        raise NotInstalled(f"{name}: {last}")


def _python_environment(home: Path, python: str, *requirements: str) -> None:
    _run(home, python, "-m", "venv", home / "venv")
    _run(home, home / "venv/bin/python", "-m", "pip", "install", "--quiet", *requirements)


def _python_at_least_3_12() -> str:
    """An interpreter that runs; a name on the PATH may be a launcher for one that is not installed."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in (13, 12, 14):
        for candidate in (f"python3.{minor}", *map(str, root.glob(f"versions/3.{minor}.*/bin/python"))):
            if shutil.which(candidate) and not subprocess.run([candidate, "-c", ""], capture_output=True).returncode:
                return candidate
    raise NotInstalled("needs Python 3.12 or later, which is missing")


def _install_moto(home: Path, version: str) -> None:
    _python_environment(home, sys.executable, f"moto[server]=={version}")


def _start_moto(home: Path, port: int, _folder: Path) -> Start:
    return Start([home / "venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)], {})


def _install_localstack(home: Path, version: str) -> None:
    # The release does not bound its own dependencies; later versions of these two lack what it calls.
    later = ("cbor2<6", "pyOpenSSL<26", "service-identity")
    _python_environment(home, _python_at_least_3_12(), f"localstack-core[base-runtime]=={version}", *later)


def _start_localstack(home: Path, port: int, folder: Path) -> Start:
    environment = {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "SERVICES": "sqs",
        "LS_LOG": "warn",
        "FILESYSTEM_ROOT": str(folder),
        "OVERRIDE_IN_DOCKER": "0",
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
    }
    return Start([home / "venv/bin/python", _FILES / "localstack/serve.py"], environment)


def _install_ministack(home: Path, version: str) -> None:
    _python_environment(home, sys.executable, f"ministack=={version}")


def _start_ministack(home: Path, port: int, _folder: Path) -> Start:
    environment = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "sqs", "LOG_LEVEL": "WARNING"}
    return Start([home / "venv/bin/ministack"], environment)


_NODE = "22.23.3"  # fauxqs wants the SQLite of Node 22, which a distribution may not have


def _install_fauxqs(home: Path, version: str) -> None:
    (home / "package.json").write_text('{"private": true}\n')
    _run(home, "npm", "install", "--no-audit", "--no-fund", f"fauxqs@{version}", f"node@{_NODE}")
    shutil.copy(_FILES / "fauxqs/serve.mjs", home)


def _start_fauxqs(home: Path, port: int, _folder: Path) -> Start:
    return Start([home / "node_modules/.bin/node", home / "serve.mjs", str(port)], {})


def _install_elasticmq(home: Path, version: str) -> None:
    copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    pom = _FILES / "elasticmq/pom.xml"
    _run(home, "mvn", "-q", "-B", "-f", pom, f"-Dpeer.version={version}", copy, f"-DoutputDirectory={home / 'lib'}")


def _start_elasticmq(home: Path, port: int, folder: Path, persistent: bool = False) -> Start:
    properties = {
        "config.file": _FILES / "elasticmq/elasticmq.conf",
        "port": port,
        "store": folder / "elasticmq",
        "persistent": str(persistent).lower(),
    }
    flags = [f"-D{name}={value}" for name, value in properties.items()]
    return Start(["java", *flags, "-cp", f"{home / 'lib'}/*", "org.elasticmq.server.Main"], {})


def _start_elasticmq_with_h2(home: Path, port: int, folder: Path) -> Start:
    return _start_elasticmq(home, port, folder, persistent=True)


def _install_goaws(home: Path, version: str) -> None:
    # Through a module of our own: "go install" of the command wants the list of all versions, which a proxy may lack.
    shutil.copy(_FILES / "goaws/main.go", home)
    _run(home, "go", "mod", "init", "peer")
    _run(home, "go", "get", f"github.com/Admiral-Piett/goaws/app/cmd@{version}")
    _run(home, "go", "build", "-o", "goaws", ".")


def _start_goaws(home: Path, port: int, folder: Path) -> Start:
    settings = folder / "goaws.yaml"
    settings.write_text(f'Local:\n  Host: 127.0.0.1\n  Port: {port}\n  AccountId: "000000000000"\n')
    return Start([home / "goaws", str(port), settings], {})


def _install_smoothmq(home: Path, version: str) -> None:
    _run(home, "go", "install", f"github.com/poundifdef/smoothmq@{version}", GOBIN=str(home))


def _start_smoothmq(home: Path, port: int, folder: Path) -> Start:
    flags = [
        "--sqs-port",
        str(port),
        "--sqs-keys",
        f"{KEY_ID}:{SECRET}",
        "--sqlite-path",
        str(folder / "smoothmq.db"),
    ]
    return Start([home / "smoothmq", "server", *flags], {"Q_DASHBOARD_ENABLED": "false"})


PEERS = (
    Peer("moto", "5.2.5", "memory", "moto", _install_moto, _start_moto),
    Peer("LocalStack", "4.14.0", "memory", "localstack", _install_localstack, _start_localstack),
    Peer("MiniStack", "1.5.33", "memory", "ministack", _install_ministack, _start_ministack),
    Peer("fauxqs", "2.4.1", "memory", "fauxqs", _install_fauxqs, _start_fauxqs),
    Peer("ElasticMQ", "1.7.1", "memory", "elasticmq", _install_elasticmq, _start_elasticmq),
    Peer("ElasticMQ, H2", "1.7.1", "H2 file", "elasticmq", _install_elasticmq, _start_elasticmq_with_h2),
    Peer("goaws", "v0.5.4", "memory", "goaws", _install_goaws, _start_goaws),
    Peer("SmoothMQ", "21131aecda17", "SQLite file", "smoothmq", _install_smoothmq, _start_smoothmq),
)
