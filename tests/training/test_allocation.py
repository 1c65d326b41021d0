"""What a step has freed stays for the next one."""

import sys

import pytest
import torch

from ganglion.training.allocation import memory_kept

linux = pytest.mark.skipif(sys.platform != "linux", reason="page faults are counted as Linux does")


def faults_of_ten_steps():
    import resource

    def step():
        several = [torch.ones(3 * 2**20) for _ in range(5)]  # 60 MB: 15,000 pages
        return len(several)

    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@linux
def test_freed_memory_is_used_again_without_asking_the_system():
    with memory_kept():
        assert faults_of_ten_steps() < 15_000  # once at most; given back each time it would be ten times as many


@linux
def test_it_is_given_back_afterwards():
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    before = resident()
    with memory_kept(), memory_kept():
        faults_of_ten_steps()
    assert resident() - before < 20 * 2**20
