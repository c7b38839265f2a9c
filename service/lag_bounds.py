"""How far each projection may fall behind before that is told: the settings, for each projection that runs."""

from collections.abc import Mapping

from infrastructure.readmodels.condition import LagBounds
from service.consumers import PROJECTIONS
from service.projection_names import require_known_projections
from service.settings import Settings


def lag_bounds(settings: Settings) -> Mapping[str, LagBounds]:
    """By the projection's name. Raises SettingsError where a setting names a projection that there is not."""
    require_known_projections(settings)
    names = [projection.name for projection in PROJECTIONS]
    return {name: LagBounds(settings.lag_events.of(name), settings.lag_seconds.of(name)) for name in names}
