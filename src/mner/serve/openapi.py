"""The document of the interface: what FastAPI cannot see, as the service reads bodies itself."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from mner.serve.schema import CONTEXT_SCHEMA, EXAMPLES, ManyPosts, OnePost, PostFields
from mner.serve.settings import Settings

ABOUT = "Entities of posts with pictures: character offsets, exact probabilities, and what the picture changed."

_REF = "#/components/schemas/{model}"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _given(**types: str) -> dict[str, Any]:
    """The schema of an object that has these fields, each of its type and not null."""
    return {"required": list(types), "properties": {name: {"type": kind} for name, kind in types.items()}}


def _fault(what: str, *, again: bool = False) -> dict[str, Any]:
    headers = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
    fault: dict[str, Any] = {"description": what, "content": {"application/json": {"schema": _ref("RequestError")}}}
    return {**fault, "headers": headers} if again else fault


_FAULTS = {
    400: _fault("Not JSON, not UTF-8, or a damaged form."),
    401: _fault("The key is missing or wrong."),
    408: _fault("The body came too slowly."),
    413: _fault("More bytes than the limit."),
    415: _fault("Another media type or encoding."),
    422: _fault("Not as described here; the message names each field."),
    429: _fault("Too much at once; send it again.", again=True),
    500: _fault("The service failed on this request."),
}

_REGION = {
    "type": "object",
    "description": "A part of the picture that shows an entity; box is [left, top, right, bottom] in pixels of the "
    "upright picture and lies inside of it, picture counts the post's pictures from 0.",
    "properties": {
        "box": {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 4, "maxItems": 4},
        "source": {"type": "string"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "match": {"type": "string", "examples": ["exact", "case", "fuzzy 0.86", "part", "only person"]},
        "text": {"type": "string"},
        "picture": {"type": "integer", "minimum": 0},
    },
    "required": ["box", "source", "score", "match", "text", "picture"],
}
_ENTITY = {
    "type": "object",
    "properties": {
        "start": {"type": "integer", "minimum": 0},
        "end": {"type": "integer", "minimum": 1},
        "text": {"type": "string"},
        "label": {"type": "string"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "regions": {
            "type": "array",
            "items": _ref("Region"),
            "description": "The best first; [] where the picture does not show it; left out where nothing was read "
            "that has a place.",
        },
    },
    "required": ["start", "end", "text", "label", "score"],
}
_ENTITIES = {"type": "array", "items": _ref("Entity")}
_STATUSES = ["used", "none", "empty", "placeholder", "unreadable", "missing", "too_large", "timeout", "disabled"]
_PREDICTION = {
    "type": "object",
    "description": "As a row of mner predict. context is there where a picture was read or a context given; views "
    "where it was asked for, I+T null where no picture was used; evidence and pieces with explain.",
    "properties": {
        "id": {"type": "string"},
        "text": {"type": "string"},
        "entities": _ENTITIES,
        "view": {"enum": ["T", "I+T"]},
        "image_status": {"enum": _STATUSES},
        "pictures": {
            "type": "array",
            "description": "Of several pictures what became of each, in their order.",
            "items": {
                "type": "object",
                "properties": {"status": {"enum": _STATUSES}, "reason": {"type": "string"}},
                "required": ["status"],
            },
        },
        "reason": {"type": "string", "description": "Why a picture was not used, or a grounder did not look at it."},
        "cut": {"type": "object", "additionalProperties": {"type": "integer"}},
        "context": _ref("Context"),
        "views": {
            "type": "object",
            "properties": {"T": _ENTITIES, "I+T": {"anyOf": [_ENTITIES, {"type": "null"}]}},
            "additionalProperties": False,
        },
        "evidence": {"type": "array", "items": {"type": "object"}},
        "pieces": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["id", "text", "entities", "view", "image_status"],
}
_FAULT = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "field": {"type": ["string", "null"]},
            },
            "required": ["code", "message", "field"],
        }
    },
    "required": ["error"],
}
_STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
_MODEL = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "labels": {"type": "array", "items": {"type": "string"}},
        "views": {"type": "array", "items": {"enum": ["T", "I+T"]}},
        "version": {"type": "string"},
        "fingerprints": {"type": "object"},
        "vision": {"type": "object"},
        "limits": {"type": "object", "additionalProperties": {"type": "number"}},
    },
    "required": ["name", "labels", "views", "version", "limits"],
}
_FILE = {"type": "string", "format": "binary"}
_FORM: dict[str, Any] = {
    "type": "object",
    "description": "One post with its text; image and images are the files of its pictures, in the order sent.",
    "properties": {
        "id": {"type": "string", "maxLength": 200},
        "text": {"type": "string"},
        "image": _FILE,
        "images": {"type": "array", "items": _FILE},
        "context": {
            "type": "string",
            "pattern": "^([^{]|$)",
            "description": "A caption; a context in JSON is taken, too.",
        },
        "views": {"type": "string", "enum": ["T", "I+T", "T,I+T"]},
        "explain": {"type": "string", "enum": ["true", "false"]},
        "min_score": {"type": "number", "minimum": 0, "maximum": 1},
        "picture_ms": {"type": "number"},
    },
    "required": ["text"],
    "additionalProperties": False,
}


def _ok(schema: dict[str, Any], what: str) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


ENTITIES: dict[str, Any] = {
    "summary": "The entities of one post, or of many",
    "responses": {
        200: _ok(
            {"anyOf": [_ref("Prediction"), _ref("Predictions")]}, "One row for one post, or posts in their order."
        ),
        **_FAULTS,
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"anyOf": [_ref("OnePost"), _ref("ManyPosts")]},
                    "examples": EXAMPLES,
                },
                "multipart/form-data": {"schema": _ref("Form")},
            },
        },
        "security": [{}, {"key": []}],
    },
}
MODEL: dict[str, Any] = {
    "summary": "The model, its labels, and the limits of this service",
    "responses": {200: _ok(_ref("Model"), "The model."), 401: _FAULTS[401]},
    "openapi_extra": {"security": [{}, {"key": []}]},
}
HEALTHZ: dict[str, Any] = {
    "summary": "Whether the process answers",
    "responses": {200: _ok(_ref("Status"), "It does.")},
}
READYZ: dict[str, Any] = {
    "summary": "Whether the service takes requests",
    "responses": {
        200: _ok(_ref("Status"), "It does."),
        503: _fault("It is starting or stopping.", again=True),
    },
}
METRICS: dict[str, Any] = {
    "summary": "Counters for Prometheus",
    "responses": {200: {"description": "Its text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
}


def describe(app: FastAPI, settings: Settings) -> None:
    """Add to the application's document what the bodies of requests and answers hold, and the limits."""
    generated = app.openapi()
    _, models = models_json_schema(
        [(model, "validation") for model in (OnePost, ManyPosts, PostFields)], ref_template=_REF
    )
    schemas: dict[str, Any] = {
        **models["$defs"],
        "Context": CONTEXT_SCHEMA,
        "Entity": _ENTITY,
        "Region": _REGION,
        "RequestError": _FAULT,
        "Form": _FORM,
        "Model": _MODEL,
        "Prediction": _PREDICTION,
        "Predictions": {
            "type": "object",
            "properties": {"posts": {"type": "array", "items": _ref("Prediction")}},
            "required": ["posts"],
            "additionalProperties": False,
        },
        "Status": _STATUS,
    }
    schemas = deepcopy(schemas)
    for name in ("PostFields", "OnePost", "Form"):
        fields = schemas[name]["properties"]
        fields["text"]["maxLength"] = settings.max_characters
        fields["images"]["maxItems"] = settings.max_pictures - (name == "Form")  # image is one of them
        if name == "Form":
            fields["context"]["maxLength"] = settings.max_characters
            continue
        fields["context"]["anyOf"][0]["maxLength"] = settings.max_characters
        fields["words"]["maxItems"] = settings.max_words
        schemas[name]["oneOf"] = [_given(text="string"), _given(words="array")]
        schemas[name]["not"] = _given(image="string", images="array")
        if not settings.hosts:
            del fields["image_url"]
    schemas["ManyPosts"]["properties"]["posts"]["maxItems"] = settings.max_posts
    for name in ("OnePost", "ManyPosts", "Form"):
        schemas[name]["properties"]["picture_ms"] |= {"minimum": 0, "maximum": settings.picture_ms}
    components = generated.setdefault("components", {})
    components["schemas"] = schemas
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
