"""What the process that runs notebooks imports: Papermill and nbconvert, in half their time."""

import gc
import sys


def import_all():
    """Import Papermill and nbconvert, and export once.

    Without collections, which find nothing here, and without a grammar of internationalised web
    addresses: jsonschema compiles it on import, in 0.7 seconds, in order to check a format that
    notebooks do not have; where it does not find the grammar, it goes without.
    """
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None
    gc.disable()
    try:
        from helpers.render import execute

        execute.warm_up()
    finally:
        gc.enable()
        if absent:
            del sys.modules["rfc3987_syntax"]
