"""Workers of a cluster may be lost on the way."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad as fg


def cubes(x: Any) -> Any:
    """Return Σ x³ of one point: a function that can be pickled by its name."""
    return np.sum(x * x * x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [1, 2])
def test_a_cluster_survives_the_loss_of_a_worker(count: int, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    x, mark = np.arange(24.0), tmp_path / "fallen"

    def f(p: Any) -> Any:
        if p[10] > 10.0 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.002)
        return np.sum(p * p * p)

    with (
        distributed.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = fg.numerical_gradient(f, x, workers=client)
        assert mark.exists()
        assert found.tobytes() == fg.numerical_gradient(cubes, x).tobytes()
        with pytest.raises(LookupError) as caught:
            fg.numerical_gradient(_raises, x, workers=client)
        assert caught.value.__notes__ == ["fastgrad: f raised this when called at x[5] minus its step."]
        assert fg.gradient_check(cubes, 3 * x**2, x, workers=client).passed
        diagonal = fg.sparsity.banded(x.size, 0)
        J = fg.numerical_jacobian(lambda p: p**3, x, sparsity=diagonal, workers=client)
        assert J.data.tobytes() == fg.numerical_jacobian(lambda p: p**3, x, sparsity=diagonal).data.tobytes()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_is_waited_for() -> None:
    """As a job, so that a cluster that grows with its work begins to."""
    distributed = pytest.importorskip("distributed")
    x = np.arange(5.0)
    with (
        distributed.LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        ThreadPoolExecutor(1) as thread,
    ):
        asked = thread.submit(fg.numerical_gradient, cubes, x, workers=client)
        while not client.run_on_scheduler(_jobs):
            assert not asked.done()
            time.sleep(0.01)
        cluster.scale(1)
        assert asked.result().tobytes() == fg.numerical_gradient(cubes, x).tobytes()


def _jobs(dask_scheduler: Any) -> int:
    """Return how many jobs the cluster has been given."""
    return len(dask_scheduler.tasks)


def _raises(x: Any) -> Any:
    if x[5] < 5.0:
        raise LookupError("lost")
    return x.sum()
