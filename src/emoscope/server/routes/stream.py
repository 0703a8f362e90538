"""``/v1/stream``: live recognition over a WebSocket.

Close codes: 1000 after the result; 1003 after a message that was not agreed; 1008 after silence;
1009 after a message that is too large; 1011 after a failure of ours; 1013 when there are too many.
"""

from __future__ import annotations

import asyncio
import time

import anyio
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from emoscope.errors import (
    AudioTooLargeError,
    BusyError,
    EmoscopeError,
    InputError,
    RequestError,
    ServerClosingError,
    StreamIdleError,
)
from emoscope.paths.names import plain_name
from emoscope.server.http.addresses import root_of
from emoscope.server.http.schemas import error_message
from emoscope.server.live.streams import LiveStream, Streams
from emoscope.server.requester import access_of, owner_of
from emoscope.streaming import messages as words

MAX_MESSAGE_BYTES = 1 << 20
_START_S = 10.0
"""Seconds for the first message."""
_DONE, _REFUSED, _IDLE, _TOO_LARGE, _FAILED, _TRY_LATER = 1000, 1003, 1008, 1009, 1011, 1013


def stream_routes(streams: Streams, *, idle_s: float, grace_s: float) -> APIRouter:
    """Return the route over these streams.

    Args:
        streams: of the server.
        idle_s: seconds without a message after which a stream is ended.
        grace_s: seconds in which a broken connection may resume, as sent to clients.
    """
    router = APIRouter()

    @router.websocket("/v1/stream")
    async def stream(websocket: WebSocket) -> None:
        """Recognize live sound."""
        await websocket.accept()
        try:
            live = await _begin(websocket, streams)
        except EmoscopeError as error:
            await websocket.send_text(error_message(error).model_dump_json())
            await websocket.close(_close_code(error))
            return
        except WebSocketDisconnect:
            return
        ready = words.Ready(
            session=live.session,
            received_bytes=live.inbox.received_bytes,
            max_duration_s=streams.limits.max_duration_s,
            max_message_bytes=MAX_MESSAGE_BYTES,
            idle_s=idle_s,
            grace_s=grace_s,
        )
        try:
            await websocket.send_text(ready.model_dump_json())
            await _Connection(websocket, live, idle_s, streams.limits.max_duration_s).carry()
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The three errors of sending to a client that has gone.
            streams.lost(live)

    return router


async def _begin(websocket: WebSocket, streams: Streams) -> LiveStream:
    """Read the first message.

    Raises:
        EmoscopeError: it cannot be granted.
        WebSocketDisconnect: the client left before it.
    """
    expected = "start, resume"
    try:
        with anyio.fail_after(_START_S):
            message = await websocket.receive()
    except TimeoutError as exc:
        raise StreamIdleError(seconds=_START_S) from exc
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", _DONE))
    said = _read(message.get("text"), expected)
    if isinstance(said, words.Start):
        plain_name(said.name)
        access = access_of(websocket)
        return streams.start(said, root=root_of(websocket.scope), access=access)
    if isinstance(said, words.Resume):
        return streams.resume(said.session, owner=owner_of(websocket))
    raise RequestError("stream_message", expected=expected)


class _Connection:
    """WebSocket connection of a stream: a receiving and a sending task.

    Args:
        websocket: the connection.
        live: the stream.
        idle_s: seconds without a message that are waited for.
        silent_s: seconds without sound that are waited for, however many pings come.
    """

    def __init__(
        self, websocket: WebSocket, live: LiveStream, idle_s: float, silent_s: float
    ) -> None:
        self._websocket, self._live = websocket, live
        self._idle_s, self._silent_s = idle_s, silent_s
        self._heard_s = time.monotonic()
        """When sound came last."""
        self._close_code = _DONE

    async def carry(self) -> None:
        """Carry messages until the last is sent.

        Raises:
            WebSocketDisconnect, RuntimeError, OSError: the client disconnected before the end.
        """
        receiving = asyncio.create_task(self._receive())
        sending = asyncio.create_task(self._send())
        try:
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                receiving.result()  # raises if the client has gone
                await sending
            sending.result()
        finally:
            for task in (receiving, sending):
                task.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)
        await self._websocket.close(self._close_code)

    async def _send(self) -> None:
        while True:
            message = await self._live.next_message()
            if isinstance(message, words.ErrorMessage) and self._close_code == _DONE:
                self._close_code = _FAILED if message.code in _OURS else _REFUSED
            await self._websocket.send_text(message.model_dump_json())
            if self._live.sent():
                return

    async def _receive(self) -> None:
        """Take messages until there is no more sound to come."""
        try:
            while await self._one_message():
                pass
        except EmoscopeError as error:
            # What came before it is kept: the stream ends as if it had been asked to.
            self._close_code = _close_code(error)
            self._live.post(error_message(error))
        self._live.inbox.close()
        # Nothing is expected now, but pings and leaving are noticed.
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", _DONE))

    async def _one_message(self) -> bool:
        left_s = self._heard_s + self._silent_s - time.monotonic()
        try:
            with anyio.fail_after(max(0.0, min(self._idle_s, left_s))):
                message = await self._websocket.receive()
        except TimeoutError as exc:
            idle = left_s > self._idle_s
            raise StreamIdleError(seconds=self._idle_s if idle else self._silent_s) from exc
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", _DONE))
        data = message.get("bytes")
        if data is not None:
            if len(data) > MAX_MESSAGE_BYTES:
                raise AudioTooLargeError(max_bytes=MAX_MESSAGE_BYTES)
            await self._live.inbox.put(data)
            if data:
                self._heard_s = time.monotonic()
            return True
        expected = "sound, ping, end"
        said = _read(message.get("text"), expected)
        if isinstance(said, words.Ping):
            self._live.post(words.Pong())
            return True
        if isinstance(said, words.End):
            return False
        raise RequestError("stream_message", expected=expected)


def _read(text: str | None, expected: str) -> words.ClientMessage:
    try:
        return words.CLIENT_MESSAGE.validate_json(text or "")
    except ValidationError as exc:
        raise RequestError("stream_message", expected=expected) from exc


_OURS = frozenset({"internal", "model_run_failed", "model_contract", "store_failed", "store_full"})


def _close_code(error: EmoscopeError) -> int:
    if isinstance(error, BusyError | ServerClosingError):
        return _TRY_LATER
    if isinstance(error, StreamIdleError):
        return _IDLE
    if isinstance(error, AudioTooLargeError):
        return _TOO_LARGE
    return _REFUSED if isinstance(error, InputError) else _FAILED
