"""
Clients of a Headcount server.

    from headcount.client import Client

    with Client("127.0.0.1:7070") as hc:
        hc.count('country = "US" and opened >= 5 emails in last 30 days')

`AsyncClient` has the same methods for asyncio.
"""

from headcount.client.aio import AsyncClient
from headcount.client.client import Client
from headcount.client.errors import ServerError, UnavailableError

__all__ = ["AsyncClient", "Client", "ServerError", "UnavailableError"]
