"""What a run uses of its machine, sampled by a thread, under the names that MLflow gives these metrics."""

import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from trimtab.atoms.error import TrimtabError, UsageError

_LOG = logging.getLogger("trimtab")
#: Seconds between two samples where the caller says nothing else.
EVERY_S = 10.0
_MEGA = 1e6
#: The longest wait between two samples, whatever is asked for: no clock counts to infinity.
_LONGEST_S = 1e6
#: A processor's load over less than this is noise.
_LEAST_CPU_S = 0.1
_GPU_SECONDS = 5.0
_GPU_ASKED = "index,utilization.gpu,memory.used,memory.total,power.draw,power.limit"

#: Takes one sample: names and values.
Log = Callable[[dict[str, float]], None]


class MachineSampler:
    """Samples until it is closed: every so many seconds, and at the end."""

    def __init__(self, log: Log, every_s: float = EVERY_S) -> None:
        """
        Args:
            log: Called on the sampler's thread.
            every_s: Seconds between two samples, above 0.
        """
        self._log, self._every_s = log, min(require_every(every_s), _LONGEST_S)
        self._pid = os.getpid()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trimtab-machine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the last sample and stop. A second call does nothing."""
        if self._pid != os.getpid():
            return  # a child that was forked has no thread to stop
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        readings, going = Machine(), True
        while going:
            going = not self._stop.wait(self._every_s)
            try:
                self._log(readings.sample())
            except TrimtabError as error:
                _LOG.warning("the machine is not sampled any more: %s", error)
                return
            except Exception:
                _LOG.warning("the machine is not sampled any more", exc_info=True)
                return


def require_every(seconds: Any) -> float:
    """Seconds between two samples; UsageError where they are no number above 0."""
    try:
        every_s = float(seconds)
    except (TypeError, ValueError):
        every_s = 0.0
    if not every_s > 0:
        raise UsageError(f"system_metrics={seconds!r}: give True, False, or seconds between two samples")
    return every_s


class Machine:
    """Readings of this machine; shares are percentages, as in MLflow; network counts from when this was made.

    Made and read on one thread: psutil remembers for each one when it asked for the processor's load last.
    """

    def __init__(self) -> None:
        self._sent, self._received = _network()
        self._gpu_tool = shutil.which("nvidia-smi")
        psutil.cpu_percent()  # the next reading is of the time since this one
        self._cpu_read_s = monotonic()

    def sample(self) -> dict[str, float]:
        """One reading of everything; what this machine does not have is left out."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(Path.cwd()))
        sent, received = _network()
        told = {
            "system/system_memory_usage_megabytes": memory.used / _MEGA,
            "system/system_memory_usage_percentage": memory.percent,
            "system/disk_usage_percentage": disk.percent,
            "system/disk_usage_megabytes": disk.used / _MEGA,
            "system/disk_available_megabytes": disk.free / _MEGA,
            "system/network_receive_megabytes": (received - self._received) / _MEGA,
            "system/network_transmit_megabytes": (sent - self._sent) / _MEGA,
        }
        return self._cpu() | told | self._gpus()

    def _cpu(self) -> dict[str, float]:
        now_s = monotonic()
        if now_s - self._cpu_read_s < _LEAST_CPU_S:
            return {}
        self._cpu_read_s = now_s
        return {"system/cpu_utilization_percentage": psutil.cpu_percent()}

    def _gpus(self) -> dict[str, float]:
        if self._gpu_tool is None:
            return {}
        try:
            asked = subprocess.run(
                [self._gpu_tool, f"--query-gpu={_GPU_ASKED}", "--format=csv,noheader,nounits"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_GPU_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            self._gpu_tool = None  # there is a tool but no card
            return {}
        return gpu_readings(asked.stdout)


def gpu_readings(text: str) -> dict[str, float]:
    """Metrics of what `nvidia-smi` says of each card; a value that a card does not have is left out.

    >>> gpu_readings("0, 37, 1024, 81559, 112.50, [N/A]")["system/gpu_0_utilization_percentage"]
    37.0
    """
    told: dict[str, float] = {}
    for line in text.splitlines():
        index, *words = (word.strip() for word in line.split(","))
        if len(words) != 5 or not index.isdigit():
            continue
        busy, used, total, power, limit = map(_number, words)
        mebi = 1048576 / _MEGA
        values = {
            "utilization_percentage": busy,
            "memory_usage_megabytes": None if used is None else used * mebi,
            "memory_usage_percentage": _share(used, total),
            "power_usage_watts": power,
            "power_usage_percentage": _share(power, limit),
        }
        told |= {f"system/gpu_{index}_{name}": value for name, value in values.items() if value is not None}
    return told


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole


def _network() -> tuple[int, int]:
    counted = psutil.net_io_counters()
    return (0, 0) if counted is None else (counted.bytes_sent, counted.bytes_recv)
