"""The paths by which the service is watched: those of probes and of metrics, of the API and of each worker."""

from typing import Final

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
METRICS: Final = "/metrics"
WATCH_PATHS: Final = (METRICS, LIVE, READY)
