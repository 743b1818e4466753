"""What a body holds, for the rows with a model."""

from __future__ import annotations

from pydantic import BaseModel


class Order(BaseModel):
    """An order."""

    item: dict[str, str]
