"""The machine is sampled under MLflow's names; cards are read as nvidia-smi tells of them."""

import os
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import trimtab
from trimtab.assembly.recording.machine import Machine, MachineSampler, gpu_readings
from trimtab.atoms.error import StoreError, UsageError

SAID = (
    "0, 37, 1024, 81559, 112.50, 700.00\n1, [N/A], 0, 81559, [Not Supported], [N/A]\nNo devices were found\n"
)


def test_cards_are_told_without_what_they_do_not_have() -> None:
    told = gpu_readings(SAID)
    assert told["system/gpu_0_utilization_percentage"] == 37.0
    assert told["system/gpu_0_memory_usage_megabytes"] == pytest.approx(1073.741824)
    assert told["system/gpu_0_memory_usage_percentage"] == pytest.approx(100 * 1024 / 81559)
    assert told["system/gpu_0_power_usage_percentage"] == pytest.approx(100 * 112.5 / 700)
    assert {name for name in told if "gpu_1" in name} == {
        "system/gpu_1_memory_usage_megabytes",
        "system/gpu_1_memory_usage_percentage",
    }


def test_a_machine_with_a_card_tells_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, 5, 10, 100, 50, 100'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert Machine().sample()["system/gpu_0_utilization_percentage"] == 5.0
    tool.write_text("#!/bin/sh\nexit 9\n")
    machine = Machine()
    assert not [name for name in machine.sample() if "gpu" in name]
    assert machine.sample()["system/system_memory_usage_megabytes"] > 0


def test_samples_come_at_their_time_and_one_at_the_end(book: Any) -> None:
    name = "system/system_memory_usage_megabytes"
    with trimtab.run(capture=False, system_metrics=0.02) as run:
        give_up = monotonic() + 60
        while len(book.points(run.id, name)) < 2 and monotonic() < give_up:
            run.flush()
    points = book.points(run.id, name)
    assert len(points) >= 3
    assert [step for step, _ in points] == list(range(len(points)))


def test_the_first_load_is_that_of_the_time_since_the_beginning() -> None:
    told: list[dict[str, float]] = []
    sampler = MachineSampler(told.append, 60.0)
    busy_until = monotonic() + 0.3
    while monotonic() < busy_until:
        pass
    sampler.close()
    assert told[0]["system/cpu_utilization_percentage"] > 0


def test_a_load_over_no_time_at_all_is_not_told() -> None:
    assert "system/cpu_utilization_percentage" not in Machine().sample()


def test_a_time_without_end_takes_the_sample_at_the_end() -> None:
    told: list[dict[str, float]] = []
    MachineSampler(told.append, float("inf")).close()
    assert len(told) == 1


def test_a_sampler_that_cannot_log_says_so_and_stops(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(sample: dict[str, float]) -> None:
        raise StoreError("the disk is full")

    sampler = MachineSampler(refuse, 60.0)
    sampler.close()
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan")])
def test_a_time_that_is_none_is_refused(every: float) -> None:
    with pytest.raises(UsageError, match="system_metrics"):
        MachineSampler(print, every)
