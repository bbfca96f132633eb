"""The web application: one tagger behind HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mner.serve import openapi, page, schema
from mner.serve.answers import Answers
from mner.serve.batching import Batcher
from mner.serve.body import read
from mner.serve.faults import RequestError, json_response, of_fault, of_framework, response
from mner.serve.gate import Gate
from mner.serve.logs import Watch
from mner.serve.metrics import Metrics
from mner.serve.pictures import PictureReader
from mner.serve.settings import Settings
from mner.serve.tasks import unless_gone
from mner.tagger import Tagger
from mner.tagger.opening import OF_MACHINE
from mner.tagger.steps import most_pictures, reads_contexts, tagged

GONE = 499
"""The status that logs and counters show where the client left before its answer."""


class Service:
    """One tagger, what reads its pictures, and the limits.

    Args:
        tagger: The model; it stays the one that was loaded, whatever becomes of its folder.
        settings: The limits; of pictures it takes no more than the tagger does.
    """

    def __init__(self, tagger: Tagger, settings: Settings) -> None:
        settings = replace(settings, max_pictures=min(settings.max_pictures, most_pictures(tagger)))
        self.settings = settings
        self.metrics = Metrics()
        self.gate = Gate(settings)
        self.ready = False
        self.pictures: PictureReader | None = None
        vision = tagger.config.vision
        reads = tagger.settings["use_images"] and "I+T" in tagger.config.loss.views
        if reads_contexts(tagger) and (vision.detector or vision.captioner or vision.ocr):
            self.pictures = PictureReader(
                vision,
                store=settings.store,
                workers=settings.picture_workers,
                pixels=settings.max_pixels,
                waiting=settings.pictures_waiting,
                held=settings.max_held,
                contexts=settings.contexts,
            )
            self.pictures.seen.seconds = self.metrics.picture_seconds.observe
        self.batcher = Batcher(
            partial(tagged, tagger),
            batch_words=settings.batch_words,
            wait=settings.wait_ms / 1000,
            waiting_words=settings.waiting_words,
            under_way=lambda: self.gate.inside,
            seen=self.metrics.batches.observe,
        )
        self.answers = Answers(tagger, settings, self.batcher, self.pictures, self.metrics)
        self.model = {
            "name": tagger.config.name,
            "labels": list(tagger.labels),
            "views": ["T", "I+T"] if reads else ["T"],
            "version": version("mner"),
            "fingerprints": {
                key: value for key, value in tagger.settings.items() if isinstance(value, str) and key not in OF_MACHINE
            },
            "vision": {name: getattr(vision, name) for name in ("detector", "captioner", "ocr", "features")},
            "limits": settings.public,
        }
        self._watch_values()

    def _watch_values(self) -> None:
        watch = self.metrics.watch
        watch("mner_requests_inside", "Requests that are being answered.", lambda: self.gate.inside)
        watch("mner_words_waiting", "Words that wait for the model.", lambda: self.batcher.waiting)
        if self.pictures is not None:
            reader = self.pictures
            watch("mner_pictures_waiting", "Pictures that wait for a worker.", lambda: reader.waiting)
            watch("mner_pictures_read", "Pictures that workers have read.", lambda: reader.seen.read, counts=True)
            watch(
                "mner_pictures_remembered",
                "Pictures whose reading was at hand.",
                lambda: reader.seen.remembered,
                counts=True,
            )
            watch("mner_workers_replaced", "Workers that ended.", lambda: reader.seen.replaced, counts=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A block in which the service works; at its end what was accepted is answered."""
        self.batcher.start()
        self.answers.start()
        if self.pictures is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.pictures.start)
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            await self.batcher.close()
            self.answers.close()
            if self.pictures is not None:
                await asyncio.get_running_loop().run_in_executor(None, self.pictures.close)

    async def entities(self, request: Request) -> Response:
        """The entities of one post or of many."""
        self.gate.check_key(request.headers.get("authorization"))
        self.gate.check_rate(request.client.host if request.client else "")
        with self.gate.entered(), self.gate.holding() as hold:
            content = await read(request, self.settings, hold)
            query = schema.query(content, request.headers.get("content-type", ""), self.settings)
            request.state.posts = len(query.posts)

            def room(size: int) -> bool:
                if self.gate.held + size > self.settings.max_held:
                    return False
                hold(size)
                return True

            answer = await unless_gone(request, self.answers.of(query, room))
        request.state.pictures = answer.pictures
        return Response(answer.body, media_type="application/json", headers={"X-Content-Type-Options": "nosniff"})


def create_app(tagger: Tagger, settings: Settings | None = None) -> FastAPI:
    """The application of a tagger, for uvicorn or any other ASGI server.

    Args:
        tagger: The model.
        settings: The limits; None takes the defaults.
    """
    service = Service(tagger, settings or Settings())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="mner",
        version=version("mner"),
        description=openapi.ABOUT,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.service = service
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(RequestError, of_fault)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_middleware(Watch, metrics=service.metrics)
    _routes(app, service)
    openapi.describe(app, service.settings)
    return app


def _routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/entities", **openapi.ENTITIES)
    async def entities(request: Request) -> Response:
        return await service.entities(request)

    @app.get("/v1/model", **openapi.MODEL)
    async def model(request: Request) -> Response:
        service.gate.check_key(request.headers.get("authorization"))
        return json_response(service.model)

    @app.get("/healthz", **openapi.HEALTHZ)
    async def healthz() -> Response:
        return json_response({"status": "ok"})

    @app.get("/readyz", **openapi.READYZ)
    async def readyz() -> Response:
        if not service.ready:
            raise RequestError(503, "not_ready", "the service is starting or stopping", wait=1)
        return json_response({"status": "ready"})

    @app.get("/metrics", **openapi.METRICS)
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    for address, file in page.files().items():
        app.add_route(address, file, methods=["GET"], include_in_schema=False)


async def _gone(request: Request, error: Exception) -> Response:
    return response(GONE, "gone", "the client left")
