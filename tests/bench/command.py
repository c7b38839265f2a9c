"""How a test starts the bench: with the interpreter of the tests, in the folder that they run in."""

import sys
from typing import Final

BENCH: Final = (sys.executable, "-m", "bench")
