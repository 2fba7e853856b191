"""The folder of the store's tests is on the path, so that they share their synthetic batches."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
