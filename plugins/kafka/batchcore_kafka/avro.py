"""Avro in keys and values. Needs the extra ``avro``, which is fastavro; nothing else here imports it."""

from __future__ import annotations

import json
from copy import deepcopy
from io import BytesIO
from typing import TYPE_CHECKING, Any

from fastavro import parse_schema
from fastavro import schemaless_reader as read_one  # pyright: ignore[reportUnknownVariableType]  # its file is of any kind

from batchcore import ConfigurationError
from batchcore_kafka.wire import Framed

if TYPE_CHECKING:
    from batchcore_kafka.wire import Field, Frame, Framing

__all__ = ["AvroValues"]


class AvroValues(Framed[Any]):
    """Decodes Avro::

        orders = AvroValues({17: ORDER_SCHEMA})


        def record_handler(record: KafkaRecord) -> None:
            order = orders.value(record)

    Args:
        schemas: what a frame names a schema by, to the schema as a dict or as JSON: see
            :class:`batchcore_kafka.wire.Framed`. With ``framing="none"`` the one schema that all was written with.
        framing: how the content is framed.
        reader: the schema to read as, where it is another than that of the writer. Defaults that it fills in are as the
            schema has them: a logical type, such as a date, is not applied to them.

    Raises:
        ConfigurationError: a schema is none, or there is no such framing.
    """

    def __init__(self, schemas: Any, framing: Framing = "confluent", *, reader: Any = None) -> None:
        super().__init__(schemas, framing)
        self.reader = None if reader is None else self._prepared("reader", reader)

    def _prepared(self, name: int | str | None, schema: Any) -> Any:
        try:
            is_json = isinstance(schema, str) and schema.lstrip()[:1] in ("{", "[", '"')  # else a name, such as string
            return parse_schema(json.loads(schema) if is_json else schema)
        except Exception as error:
            which = "The schema" if name is None else f"Schema {name}"
            raise ConfigurationError(f"{which} is no schema of Avro: {type(error).__name__}: {error}") from error

    def _decoded(self, schema: Any, frame: Frame, field: Field) -> Any:
        if frame.indexes:
            raise ValueError(f"The header __{field}_schema_id goes on after the guid, as that of Protobuf does.")
        stream = BytesIO(frame.content)
        try:
            value: Any = read_one(stream, schema, self.reader)
        except Exception as error:
            problem = type(error).__name__  # its text may quote the content
        else:
            if stream.tell() != len(frame.content):
                # Framed bytes that are read without their frame are a wrong record, and no error but this one.
                raise ValueError(f"{field} does not end with the record: its frame or its schema is another.")
            # Defaults of the reader's schema are the same objects for every record.
            return value if self.reader is None else deepcopy(value)
        raise ValueError(f"{field} is not Avro as its schema says: {problem}.")
