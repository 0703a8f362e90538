"""How the port is opened."""

from __future__ import annotations

import asyncio
import socket

from emoscope.cli.serve import listening_socket


def test_what_is_written_is_sent_at_once() -> None:
    """Else the body of an answer waits for its header to be acknowledged: 40 ms each time."""

    async def no_delay() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening_socket("127.0.0.1", 0) as listening:
            async with await asyncio.start_server(accepted, sock=listening):
                _, writer = await asyncio.open_connection(*listening.getsockname())
                writer.close()
                return await found

    assert asyncio.run(no_delay())
