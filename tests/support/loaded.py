"""All modules of the program, loaded: what is forked from here begins without the second in which they load."""

import gc
import pkgutil
from importlib import import_module

import service

gc.disable()
for module in pkgutil.walk_packages(service.__path__, f"{service.__name__}."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
gc.enable()
gc.freeze()  # all of it stays, in whatever is forked: nobody looks through it again, and the pages stay shared
