"""Imports of what renders, without what takes its time and is not used."""

import gc
import sys
from contextlib import contextmanager


@contextmanager
def without(*names):
    """Let modules that are not imported yet seem not to be installed, and collect no garbage.

    For imports of libraries that take these where they find them. A collection finds nothing then.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules |= dict.fromkeys(absent)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        for name in absent:
            del sys.modules[name]


def import_all():
    """Import Papermill and nbconvert, and export once.

    Without a grammar of internationalised web addresses: jsonschema compiles it on import, in 0.7
    seconds, in order to check a format that notebooks do not have.
    """
    with without("rfc3987_syntax"):
        from helpers.render import execute

        execute.warm_up()
