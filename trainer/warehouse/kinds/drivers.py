"""Imports the drivers of rarely used warehouses, which are optional packages."""

import importlib
from types import ModuleType

from schemas.errors import NotInstalled
from schemas.extras import how_to_install


def driver(module: str, scheme: str) -> ModuleType:
    """Import the module of a driver.

    Args:
        module: the name of the module.
        scheme: the URL scheme of the warehouses that need it; also the name of Segue's extra.

    Raises:
        NotInstalled: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"a {scheme}:// warehouse needs {error.name}, which is not installed; {how_to_install(scheme)}"
        ) from None
