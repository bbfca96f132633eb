"""What a request may hold, as pydantic checks it and OpenAPI describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mner.contexts.rows import STATUSES
from mner.serve import body, context_limits, counts
from mner.serve.faults import RequestError, of_pydantic, place
from mner.serve.settings import Settings
from mner.types import ViewName

MOST_WORD = 1_000
"""Characters of one word."""

_BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_NUMBER = {"type": ["number", "null"]}
_BOX = {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_SOURCE = {"type": "string"}
_TEXT = {"type": "string", "minLength": 1}
_PICTURE = {"description": "Which of several pictures, as a number; 0 is the first."}


def _entries(fields: Mapping[str, Any], *needed: str) -> dict[str, Any]:
    """The schema of a list of entries, each of which has at least one of these fields."""
    entry: dict[str, Any] = {"type": "object", "properties": {**fields, "source": _SOURCE, "picture": _PICTURE}}
    alone = {"type": "string"} if len(needed) == 1 else _TEXT
    if len(needed) == 1:
        entry["required"] = list(needed)
    else:
        entry["anyOf"] = [{"required": [name], "properties": {name: _TEXT}} for name in needed]
    return {"type": ["array", "null"], "items": {"anyOf": [alone, entry]}}


CONTEXT_SCHEMA: dict[str, Any] = {
    "title": "Context",
    "description": "What was read from a picture, one row of the visual-context artefact; boxes are [left, top, right, "
    "bottom] in pixels of the upright picture. Other keys are kept.",
    "type": "object",
    "properties": {
        "image": {"type": "string", "minLength": 1},
        "status": {"enum": list(STATUSES)},
        "reason": {"type": ["string", "null"]},
        "sha256": {"type": ["string", "null"]},
        "extractor": {"type": ["object", "null"]},
        "tags": _entries(
            {
                "object": {"type": "string"},
                "attributes": {"type": "array", "items": {"type": "string"}},
                "confidence": _NUMBER,
                "box": _BOX,
                "text": {"type": ["string", "null"]},
            },
            "object",
            "text",
        ),
        "captions": _entries({"text": {"type": "string"}, "score": _NUMBER}, "text"),
        "ocr": _entries({"text": {"type": "string"}, "confidence": _NUMBER, "box": _BOX}, "text"),
        "texts": _entries({"text": {"type": "string"}}, "text"),
    },
}

Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64", "pattern": _BASE64})]
Word = Annotated[str, Field(min_length=1, max_length=MOST_WORD)]


class _Strict(BaseModel):
    """Known fields, each of its type; null stands for an optional field that is absent, as typed clients send it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict) or None not in value.values():
            return value
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: given for name, given in value.items() if given is not None or name not in optional}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler.resolve_ref_schema(handler(schema))
        for name, field in described["properties"].items():
            if name not in described.get("required", ()):
                if "anyOf" in field:
                    field["anyOf"] = [*field["anyOf"], {"type": "null"}]
                else:
                    field["type"] = [field["type"], "null"]
        return described


class PostFields(_Strict):
    """One post: its text or its words, and perhaps its picture, or what stands for that."""

    id: str = Field("", max_length=200, description="Comes back with the answer.")
    text: str = Field("", description="The post. Offsets of entities count its characters (Unicode code points).")
    words: Annotated[list[Word], FailFast()] = Field([], description="The post's words, instead of its text.")
    image: str = Field(
        "",
        description="The bytes of its picture's file in base64.",
        json_schema_extra={"contentEncoding": "base64", "pattern": _BASE64},
    )
    images: Annotated[list[Base64], FailFast()] = Field(
        [], description="The bytes of several pictures' files in base64, instead of image."
    )
    image_url: str = Field("", description="Address of its picture, where the service fetches from that host.")
    context: Annotated[Any, WithJsonSchema({"anyOf": [{"type": "string"}, CONTEXT_SCHEMA]})] = Field(
        None,
        description="What stands for the picture, which is then not read: a caption, or a context as answers have.",
    )


class Options(_Strict):
    """What holds for all posts of a request."""

    views: list[ViewName] = Field([], max_length=2, description="Views whose entities stand beside the answer: T, I+T.")
    explain: bool = Field(False, description="Add the evidence for each entity: what the picture did.")
    min_score: float = Field(0.0, ge=0.0, le=1.0, description="Least probability of an entity.")
    picture_ms: float = Field(
        0, description="Most milliseconds for this request's pictures, a grounder's look included."
    )


class OnePost(PostFields, Options):
    """A request of one post."""

    model_config = ConfigDict(title="OnePost")


class ManyPosts(Options):
    """A request of many posts."""

    posts: list[PostFields] = Field(min_length=1)


KNOWN = {
    OnePost: {"request": [*OnePost.model_fields, "posts"]},
    ManyPosts: {"request": list(ManyPosts.model_fields), "post": list(PostFields.model_fields)},
}
"""The fields of a request of each kind, and of its posts."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One post of a request, its picture decoded.

    Attributes:
        row: Id and text or words, as the tagger takes them.
        images: The bytes of its pictures.
        url: The address of its picture.
        context: What stands for the picture.
        place: The post in the request, for messages.
    """

    row: dict[str, Any]
    images: tuple[bytes, ...] = ()
    url: str | None = None
    context: Any = None
    place: str = ""

    @property
    def pictured(self) -> bool:
        """Whether there is a picture to read."""
        return self.context is None and (bool(self.images) or self.url is not None)

    def named(self, field: str) -> str:
        """A field of it in the words of the request."""
        return f"{self.place}.{field}" if self.place else field


@dataclass(frozen=True, slots=True)
class Query:
    """A checked request: one post or many, and what holds for them."""

    posts: list[Posted]
    options: Options
    picture_ms: float
    many: bool


def query(content: bytes, content_type: str, settings: Settings) -> Query:
    """The request that a body holds.

    Raises:
        RequestError: It is not as the schema says, or over a limit.
    """
    value, files = body.parsed(content, content_type)
    many = "posts" in value
    counts.check(value, settings)
    posts: Sequence[PostFields]
    options: Options
    try:
        if many:
            request = ManyPosts.model_validate(value)
            posts, options = request.posts, request
        else:
            single = OnePost.model_validate(value)
            posts, options = [single], single
    except ValidationError as error:
        known = KNOWN[ManyPosts if many else OnePost]
        raise of_pydantic(error.errors(include_input=False, include_url=False), known) from None
    if many and files:
        raise RequestError(
            422, "invalid_request", "a file goes with one post; posts have theirs in base64", field="image"
        )
    milliseconds = options.picture_ms if "picture_ms" in options.model_fields_set else float(settings.picture_ms)
    if not 0 <= milliseconds <= settings.picture_ms:
        message = f"expected 0 to {settings.picture_ms:,} milliseconds"
        raise RequestError(422, "invalid_request", message, field="picture_ms")
    checked = [
        _posted(post, files, settings, place(("posts", number)) if many else "") for number, post in enumerate(posts)
    ]
    return Query(checked, options, milliseconds, many)


def _posted(post: PostFields, files: Sequence[bytes], settings: Settings, where: str) -> Posted:
    posted = Posted({}, place=where)
    given = post.model_fields_set
    if ("text" in given) is ("words" in given):
        which = "both" if "text" in given else "neither"
        raise RequestError(422, "invalid_request", f"expected either text or words, found {which}", field=where or None)
    if len(post.text) > settings.max_characters:
        message = f"{len(post.text):,} characters, the limit is {settings.max_characters:,}"
        raise RequestError(422, "too_long", message, field=posted.named("text"))
    if "context" in given:
        context_limits.check(post.context, settings, posted.named("context"))
    pictures = [name for name in ("image", "images", "image_url") if name in given] + ["images"] * bool(files)
    if len(pictures) > 1:
        message = f"a post names its pictures in one way; leave out {pictures[0]} or {pictures[-1]}"
        raise RequestError(422, "invalid_request", message, field=posted.named(pictures[-1]))
    if len(files) > settings.max_pictures:
        message = f"{len(files):,} pictures, the limit is {settings.max_pictures:,}"
        raise RequestError(422, "too_many_pictures", message, field=posted.named(pictures[-1]))
    images = list(files)
    if "image" in given:
        images = [body.picture(post.image, posted.named("image"))]
    elif "images" in given:
        images = [body.picture(text, posted.named(f"images[{at}]")) for at, text in enumerate(post.images)]
    row: dict[str, Any] = {"id": post.id} | ({"words": post.words} if "words" in given else {"text": post.text})
    return Posted(row, tuple(images), post.image_url or None, post.context, where)


Example = Literal["text", "picture", "edited", "many"]

EXAMPLES: dict[Example, dict[str, Any]] = {
    "text": {"summary": "Words alone", "value": {"text": "Kevin Love is back in Cleveland"}},
    "picture": {
        "summary": "A post with its picture, both views and the evidence",
        "value": {
            "text": "five stars for Phoenix this time",
            "image": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mM4YWMDAAMQAUEc67SpAAAAAElFTkSuQmCC",
            "views": ["T", "I+T"],
            "explain": True,
        },
    },
    "edited": {
        "summary": "What was read from a picture, after an edit",
        "value": {
            "text": "five stars for Phoenix this time",
            "context": {"captions": [{"text": "a bus ticket to Phoenix"}], "ocr": [{"text": "PHOENIX"}]},
        },
    },
    "many": {
        "summary": "Many posts",
        "value": {
            "posts": [{"id": "1", "text": "Kevin Love is back"}, {"id": "2", "words": ["Real", "Madrid", "won"]}]
        },
    },
}
"""Requests that the document of the interface shows."""
