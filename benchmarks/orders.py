"""What a body holds, for the rows with a model."""

from __future__ import annotations

from pydantic import BaseModel


class Line(BaseModel):
    """One line of an order."""

    sku: str
    quantity: int


class Order(BaseModel):
    """An order."""

    order: str
    customer: str
    total: int
    currency: str
    lines: list[Line]
