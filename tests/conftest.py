"""Settings for all tests."""

import os

# Which engine is the fastest depends on what else the machine does; tests that want the race switch it on.
os.environ.setdefault("PPDET_ENGINE_RACE", "off")
