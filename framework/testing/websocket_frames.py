"""The little of RFC 6455 that a server on the loopback needs: the handshake, and frames in both directions.

Written out, because tests have to send half a frame, a slow one, or one that is none.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
MAX_HEAD = 16_384
MAX_PAYLOAD = 1 << 24
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def accept_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer a client's upgrade. False: it asked for something else, and was told so."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    pairs = (line.partition(":") for line in head.split("\r\n")[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    key = headers.get("sec-websocket-key")
    if key is None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return False
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    answer = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n"
    )
    writer.write(answer.encode())
    return True


def frame(payload: str | bytes, opcode: int = TEXT) -> bytes:
    """One whole frame, as a server sends it: not masked."""
    data = payload.encode() if isinstance(payload, str) else payload
    if len(data) < 126:
        head = bytes((0x80 | opcode, len(data)))
    elif len(data) < 1 << 16:
        head = bytes((0x80 | opcode, 126)) + len(data).to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + len(data).to_bytes(8, "big")
    return head + data


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next frame of a client: its opcode and payload. Raises `ValueError` for one that is too large."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    if length > MAX_PAYLOAD:
        raise ValueError(f"a frame of {length} bytes, at most {MAX_PAYLOAD} are read")
    mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
    payload = await reader.readexactly(length)
    return first & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
