"""The start of the command line, also as `python -m service`, which is how the supervisor starts its children."""

import gc
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line. Ctrl-C may come before that is loaded, which takes a moment: it ends with 130 then too."""
    try:
        gc.disable()  # all that is imported stays: to look through it again and again is a fifth of the start
        from service.cli.main import main as run  # noqa: PLC0415 - within reach of the exception

        gc.enable()
        run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        # CPython ends `python -m` by the signal, whatever the exit code, where an interrupt has passed through an
        # `exec` of text (dataclasses are made so), until the next such call ends without one.
        exec("")


if __name__ == "__main__":
    main()
