"""
How gRPC works in the process of a server. It reads its environment when it is imported, so that
this must be imported before it; what is set there already stays.

    fork support             none: the server never forks, and the handlers cost a lock a call
    event engine's listener  none: the thread that takes calls up waits for the sockets itself

With the listener, threads of gRPC's own look at the sockets, and wake the one that takes calls up
for what they find. Without it a paced upsert of 16 clients puts threads to sleep 25 times instead
of 29, costs a twelfth less of the processor and a tenth less time; flat out nothing is slower. A
gRPC that does not know the name any more says so in a line when it starts, and does without.
"""

from __future__ import annotations

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
