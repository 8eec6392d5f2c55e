"""Access to the Schema Registry in the settings, whose packages are an extra."""

from __future__ import annotations

from functools import cache

from schemas.errors import NotInstalled
from schemas.extras import how_to_install
from schemas.inputs.forms.framed_values import Unframe, without_registry
from segue.config.settings import Settings


def unframe_of(settings: Settings) -> Unframe:
    """Return the function that parses framed values; without a registry it refuses them.

    Raises:
        NotInstalled: the packages of the extra ``registry`` are not installed.
    """
    if settings.schema_registry is None:
        return without_registry
    return _opened(settings.schema_registry, tuple(sorted(settings.schema_registry_options.items())))


@cache  # one client in a process: it keeps the schemas
def _opened(url: str, options: tuple[tuple[str, str], ...]) -> Unframe:
    try:
        from streamer.kafka.schema_registry import SchemaRegistry  # noqa: PLC0415 - not everywhere
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"schema_registry needs {error.name}, which is not installed; {how_to_install('registry')}"
        ) from None
    return SchemaRegistry(url, dict(options))
