"""How boto 2.49 is pointed at a server of one's own."""

from boto.regioninfo import RegionInfo
from boto.sqs.connection import SQSConnection
from walk import REGION, Key, Site


def where(site: Site) -> dict[str, object]:
    """The arguments of a connection that say where to go."""
    region = RegionInfo(name=REGION, endpoint=site.host)
    return {"region": region, "port": site.port, "is_secure": False}


def connect(site: Site, key: Key | None = None) -> SQSConnection:
    key = key or site.owner
    return SQSConnection(key.id, key.secret, **where(site))
