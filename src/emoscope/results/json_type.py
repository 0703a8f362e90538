"""JSON form of result types, shared by ``result.json``, the API and live streams.

A frozen dataclass that is a ``JsonType`` is the one description of its JSON: its fields are the
keys, in order. From it pydantic writes and reads the JSON and makes the OpenAPI document, and is
imported only then, so that importing a type costs nothing. What a field's name and type cannot say
stands in its ``metadata`` (``alias``, ``description``, ``exclude_if``) or in ``Annotated``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias, cast

from emoscope.labels import KEYS, Emotion, by_key, emotion_or_silence

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema


def _document(schema: dict[str, Any]) -> None:
    """Say in the JSON schema what is written: these keys and no others, all of them."""
    schema["additionalProperties"] = False
    schema["description"] = schema["description"].partition("\n\n")[0].replace("\n", " ")
    for key in schema["properties"].values():
        key.pop("default", None)  # of the constructor


class JsonType:
    """Base of dataclasses that are written as a JSON object and read from it."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {
        # When read, keys that a later version adds are left alone.
        "json_schema_extra": _document,
        # A writer refuses NaN (``allow_nan=False``); here it must not become null before.
        "ser_json_inf_nan": "constants",
        "json_schema_serialization_defaults_required": True,
    }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object."""
        data = _adapter(type(self)).dump_python(self, mode="json", by_alias=True)
        return cast(dict[str, Any], data)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: a key is missing, or a value is of the wrong kind.
        """
        from pydantic import ValidationError

        try:
            return cast(Self, _adapter(cls).validate_python(data))
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{place}: {first['msg']}") from exc


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """Return the adapter of a type, made when it is first asked for."""
    found = _ADAPTERS.get(kind)
    if found is None:
        from pydantic import TypeAdapter

        found = _ADAPTERS[kind] = TypeAdapter(kind)
    return found


class JsonSchema:
    """Annotation: further words of the JSON schema, which values are not checked against.

    Sums of floats may pass a bound by a hair, and a result that was written must be read again.
    """

    def __init__(self, **words: object) -> None:
        self._words = words

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), **self._words}


class Converted:
    """Annotation: how a value that is no JSON is written and read.

    Args:
        write: makes JSON of the value.
        read: makes the value of JSON; what it raises means that the JSON is of the wrong kind.
        like: type of the JSON, for the API document.
    """

    def __init__(
        self, write: Callable[[Any], object], read: Callable[[Any], object], like: Any
    ) -> None:
        self._write, self._read, self._like = write, read, like

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self._checked,
            serialization=core_schema.plain_serializer_function_ser_schema(self._write),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        from pydantic import TypeAdapter

        return TypeAdapter(self._like).json_schema(mode="serialization")

    def _checked(self, data: object) -> object:
        try:
            return self._read(data)
        except (KeyError, TypeError, AttributeError) as exc:
            raise ValueError(f"cannot be read: {exc!r}") from exc


def _key(emotion: Emotion) -> str:
    return emotion.key


Share: TypeAlias = Annotated[float, JsonSchema(minimum=0, maximum=1)]
EmotionKey: TypeAlias = Literal[KEYS]  # type: ignore[valid-type]  # the nine words, from the one table
EmotionByKey: TypeAlias = Annotated[Emotion, Converted(_key, by_key, EmotionKey)]
"""One of the nine; its key in JSON."""
LabelByKey: TypeAlias = Annotated[
    Emotion, Converted(_key, emotion_or_silence, EmotionKey | Literal["silence"])
]
"""One of the nine or ``SILENCE``; its key in JSON."""
