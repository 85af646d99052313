"""LocalStack on loopback: its server takes the port of GATEWAY_LISTEN and leaves the address out."""

import functools

from localstack.runtime.main import main
from twisted.internet import endpoints

endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
main()
