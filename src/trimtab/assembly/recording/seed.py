"""Seeds of the random numbers that a run draws: set where asked for, and told as far as they can be."""

import hashlib
import operator
import os
import random
import sys
from typing import Any, SupportsIndex

from trimtab.atoms.error import UsageError


def set_seeds(seed: SupportsIndex) -> int:
    """Seed `random`, and NumPy and PyTorch where they are loaded already; gives the seed as a whole number.

    Raises:
        UsageError: It is none.
    """
    try:
        seed = operator.index(seed)
    except TypeError as error:
        raise UsageError(f"seed={seed!r}: give a whole number") from error
    random.seed(seed)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        numpy.random.seed(seed % (1 << 32))
    if torch is not None:
        torch.manual_seed(seed % (1 << 64))
    return seed


def told_seeds(seed: int | None) -> dict[str, Any]:
    """What is known of the state of the loaded generators.

    A generator does not know the seed it was given, but for PyTorch's: of the others a digest of the state is told,
    which says whether two runs began from the same one.
    """
    told: dict[str, Any] = {"seed": seed, "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED")}
    told["random_state_sha256"] = hashlib.sha256(repr(random.getstate()).encode()).hexdigest()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        name, keys, *rest = numpy.random.get_state()
        told["numpy_state_sha256"] = hashlib.sha256(repr((name, rest)).encode() + keys.tobytes()).hexdigest()
    if torch is not None:
        told["torch_initial_seed"] = torch.initial_seed()
    return told
