"""OpenTelemetry traces of requests and probes.

`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` enables them, `OTEL_SDK_DISABLED=true` disables
them; the other `OTEL_` variables apply as the SDK documents them. Headers, bodies and passwords are not recorded.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import TracerProvider

GRACE = 1.0
"""Seconds to send the last spans when the service ends."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
NOT_TRACED = ("/metrics", "/livez", "/readyz")
"""Paths that monitoring requests every few seconds."""


class Traces:
    """The provider of traces; None if traces are off."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.provider = _provider(environment) if _is_wanted(environment) else None

    def of_requests(self) -> TelemetryConfig:
        """Return FastAPI's settings: spans only, because its logs would contain what callers sent."""
        return {"tracer_provider": self.provider, "logs": False, "metrics": False, "exclude": _is_not_traced}

    def close(self) -> None:
        """Send pending spans within the grace; the SDK alone would try for half a minute."""
        if self.provider is not None:
            sending = threading.Thread(target=self.provider.shutdown, daemon=True)
            sending.start()
            sending.join(GRACE)


def _is_wanted(environment: Mapping[str, str]) -> bool:
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not off and any(environment.get(name) for name in ENDPOINTS)


def _provider(environment: Mapping[str, str]) -> TracerProvider:
    # These imports take half a second, so they are made only if traces are on.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    name = environment.get("OTEL_SERVICE_NAME") or "job-recovery"
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _is_not_traced(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in NOT_TRACED
