"""Drivers of warehouses that few shops have: optional packages, imported where they are needed."""

import importlib
from types import ModuleType

from schemas.errors import NotInstalled
from schemas.extras import how_to_install


def driver(module: str, scheme: str) -> ModuleType:
    """A driver's module.

    Args:
        module: its name.
        scheme: of the warehouses that need it, which is the name of the extra, too.

    Raises:
        NotInstalled: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"a {scheme}:// warehouse needs {error.name}, which is not installed; {how_to_install(scheme)}"
        ) from None
