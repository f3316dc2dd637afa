"""``python -m bench.flooder PORT PATH RATE SECONDS``: sends alerts, all different, and prints what it was told."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

MOST_AT_ONCE = 80
PATIENCE_S = 10.0


async def _send(port: int, path: str, number: int, answers: Counter[str], room: asyncio.Semaphore) -> None:
    """One alert on a connection of its own."""
    body = f'{{"id": {number}, "ticker": "X{number}USDT", "action": "buy"}}'
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        async with room, asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write((head + body).encode())
            status = (await reader.readline()).split()[1:2]
            answers[status[0].decode() if status else "none"] += 1
            writer.close()
    except (OSError, TimeoutError, IndexError):
        answers["none"] += 1


async def _flood(port: int, path: str, rate: int, seconds: float) -> Counter[str]:
    answers: Counter[str] = Counter()
    room = asyncio.Semaphore(MOST_AT_ONCE)
    loop = asyncio.get_running_loop()
    began, tasks = loop.time(), set[asyncio.Task[None]]()
    for number in range(int(rate * seconds)):
        wait = began + number / rate - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        task = loop.create_task(_send(port, path, number, answers, room))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return answers


def main() -> None:
    """Send, and print the answers by status as JSON."""
    port, path, rate, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(asyncio.run(_flood(port, path, rate, seconds))))  # noqa: T201


if __name__ == "__main__":
    main()
