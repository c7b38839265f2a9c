"""Puts together what the API tells Prometheus."""

from collections.abc import Iterable
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from infrastructure.access.verifier import TokenVerifier
from service.consumers import COMMANDS
from service.http.certificate import Certificate
from service.http.connections import Connections
from service.http.middleware.metrics import Metrics
from service.http.readiness import Readiness
from service.http.readiness_metrics import ReadinessMetrics


def metrics_of(app: FastAPI) -> Metrics:
    """The metrics of an application whose state has connections, readiness, the verifier and the certificate."""
    connections: Connections = app.state.connections
    readiness: Readiness = app.state.readiness
    verifier: TokenVerifier = app.state.verifier
    certificate: Certificate | None = app.state.certificate
    metrics = Metrics()
    for collector in (*connections.counts.collectors, ReadinessMetrics(lambda: readiness.findings)):
        metrics.registry.register(collector)
    metrics.tell_validity(verifier.has_keys, None if certificate is None else certificate.expiry)
    return metrics


def count_from_the_start(app: FastAPI, served: Iterable[APIRouter]) -> None:
    """Shows routes and commands with counts of 0 before they first happen, and what is inside the gates."""
    metrics: Metrics = app.state.metrics
    routes = [route for router in served for route in router.routes if isinstance(route, APIRoute)]
    metrics.expect(
        [(method, route.path_format) for route in routes for method in sorted(route.methods or ())],
        [command.__name__ for command in COMMANDS],
    )
    names = ("commands", "queries", "waiting_queries")
    metrics.count_inside({name: partial(getattr, getattr(app.state, name), "inside") for name in names})
