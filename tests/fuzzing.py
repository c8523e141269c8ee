"""How long the fuzzing tests go on.

``HIPLINE_FUZZ_FACTOR=20 python -m pytest -k fuzz`` goes on twenty times as long.
"""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("HIPLINE_FUZZ_FACTOR", "1"))
