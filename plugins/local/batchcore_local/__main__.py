"""``python -m batchcore_local`` is the command ``batchcore``."""

import sys

from batchcore_local.cli import main

sys.exit(main())
