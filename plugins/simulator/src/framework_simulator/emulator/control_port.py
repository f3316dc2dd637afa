"""The control surface over HTTP, on a port of its own."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from attrs import define, field

from .control import Control, ControlError, Operation, operations
from .server import MAX_BODY, listen, loopback


@define
class ControlPort:
    """Serves the operations of `Control` as POST, and `GET /ledger` and `GET /state`."""

    control: Control
    _runner: web.AppRunner | None = field(default=None, init=False)

    async def start(self, host: str, port: int) -> int:
        """Listen; answers the port. Raises OSError if it can't be had, `NotLoopbackError` for another address."""
        app = web.Application(client_max_size=MAX_BODY)
        for path, operation in operations(self.control).items():
            app.router.add_post(path, _posted(operation))
        app.router.add_get("/ledger", self._ledger)
        app.router.add_get("/state", self._state)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        return await listen(self._runner, loopback(host), port)

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _ledger(self, request: web.Request) -> web.Response:
        """The ledger's lines as JSON lines; ``?since=SEQ`` leaves out those up to SEQ."""
        since = request.query.get("since", "0")
        if not since.isdigit():
            return _refused("since must be a line's seq")
        lines = self.control.tail.since(int(since))
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        return web.Response(text=text, content_type="application/x-ndjson")

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.control.state())


def _posted(operation: Operation) -> Any:
    async def handle(request: web.Request) -> web.Response:
        try:
            wish = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError):
            return _refused("the body is no JSON")
        if not isinstance(wish, dict):
            return _refused("the body must be a JSON object")
        try:
            return web.json_response(operation(wish))
        except ControlError as error:
            return _refused(str(error))

    return handle


def _refused(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)
