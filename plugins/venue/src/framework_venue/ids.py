"""Which client id an order of the venue's id has: what some messages leave out, others have told."""

from __future__ import annotations

from attrs import define, field, validators

MOST = 10_000


@define(eq=False)
class OrderIds:
    """A bounded memory of order ids. When it is full, what was not used for the longest time is forgotten."""

    most: int = field(default=MOST, validator=validators.ge(1))
    _client_ids: dict[str, str] = field(factory=dict, init=False)

    def learn(self, order_id: str, client_id: str) -> None:
        """Remember that the two belong together. Nothing is learned from an empty one."""
        if not order_id or not client_id:
            return
        self._client_ids.pop(order_id, None)
        self._client_ids[order_id] = client_id
        if len(self._client_ids) > self.most:
            del self._client_ids[next(iter(self._client_ids))]

    def client_id(self, order_id: str) -> str | None:
        """The client id of an order, None if it is not known."""
        client_id = self._client_ids.pop(order_id, None)
        if client_id is not None:
            self._client_ids[order_id] = client_id  # a dict keeps its order: what was used last stands last
        return client_id
