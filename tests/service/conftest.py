"""One service of planted models for all tests of a module, and clients for services with other limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

for _package in ("fastapi", "uvicorn", "httpx", "onnx", "onnxruntime"):
    pytest.importorskip(_package)

from fastapi.testclient import TestClient  # noqa: E402
from support.served import write_models  # noqa: E402

from ppdet.service.app import create_app  # noqa: E402
from ppdet.service.limits import ServiceLimits  # noqa: E402
from ppdet.service.served_models import ServedModels  # noqa: E402
from ppdet.service.state import Service  # noqa: E402


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> ServedModels:
    pose, detector = write_models(Path(tmp_path_factory.mktemp("served")))
    return ServedModels(pose, detector, engine="onnxruntime")


@pytest.fixture(scope="session")
def client(models: ServedModels) -> Iterator[TestClient]:
    with TestClient(create_app(Service(models, ServiceLimits()))) as found:
        yield found


@pytest.fixture
def client_with(models: ServedModels) -> Iterator[Callable[..., TestClient]]:
    """A client of a service with other limits: client_with(queue=1, api_key=...)."""
    with ExitStack() as stack:

        def make(api_key: str | None = None, served: ServedModels = models, **limits: Any) -> TestClient:
            app = create_app(Service(served, ServiceLimits(**limits), api_key))
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield make
