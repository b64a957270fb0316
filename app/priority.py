"""Politeness: the engine's thread gives way to other programs.

Where the system has no priority per thread, nothing happens. Knows threads by name only.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

logger = logging.getLogger(__name__)

ENGINE_THREAD = "layerloom-engine"
NICENESS = 10


def lower_engine_priority(name: str = ENGINE_THREAD) -> bool:
    """Let the engine's thread, and the ones it starts later, come after everybody else's.

    Returns:
        whether the system took it.
    """
    if sys.platform != "linux":  # elsewhere niceness is a whole process's
        return False
    found = [thread for thread in threading.enumerate() if thread.name == name]
    for thread in found:  # more than one after a restart
        if thread.native_id is None:
            return False
        try:
            os.setpriority(os.PRIO_PROCESS, thread.native_id, NICENESS)
        except OSError as error:
            logger.info("no lower priority: %s", error)
            return False
    return bool(found)
