"""inseq at work in its own environment: a process that explains the sentences of each line of its input and tells what that cost.

Run by the interpreter of an environment with inseq, never imported by the workbench: `python neighbour_side.py MODEL`.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import time
from typing import Any


def main(model_name: str) -> None:
    """Answers each line of JSON (`method`, `sources`, `targets`, `batch`, `options`) with the CPU seconds of the attribution."""
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    inseq: Any = importlib.import_module("inseq")
    answers, sys.stdout = sys.stdout, sys.stderr
    model = inseq.load_model(model_name, "input_x_gradient")
    answer(answers, {"inseq": str(inseq.__version__) if hasattr(inseq, "__version__") else "", "torch": torch.__version__})
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.process_time()
        model.attribute(
            asked["sources"], asked["targets"], method=asked["method"], attribute_target=True, batch_size=asked["batch"],
            show_progress=False, **asked["options"],
        )  # fmt: skip
        answer(answers, {"seconds": time.process_time() - started})


def answer(stream: Any, found: dict[str, Any]) -> None:
    """Writes one line of JSON at once."""
    stream.write(json.dumps(found) + "\n")
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1])
