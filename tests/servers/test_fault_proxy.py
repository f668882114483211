"""The proxy that makes the network fail leaves nothing open when it stops to listen."""

from __future__ import annotations

import gc
import socket
import time

from servers.fault_proxy import FaultProxy, Faults


def test_a_connection_that_is_taken_as_the_proxy_stops_to_listen_is_closed() -> None:
    # A socket that is dropped open is a warning, and so fails the test.
    with socket.create_server(("127.0.0.1", 0)) as server:
        with FaultProxy(server.getsockname()[1]) as proxy:
            # The loop wakes up to both at once: a new connection, and the word to refuse any.
            proxy.hold(0.4)
            time.sleep(0.1)
            with socket.create_connection(("127.0.0.1", proxy.port)):
                proxy.set(Faults(refuse=True))
        gc.collect()
