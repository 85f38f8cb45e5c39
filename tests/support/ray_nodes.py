"""Two nodes of a Ray cluster on this machine, texts that are encoded on them, and processes and nodes that are killed.

python -m tests.support.ray_nodes

Ray listens on all addresses of a machine: run this in a network namespace of its own. The last line
of its output is a JSON object.
"""

import json
import os
import sys
import time
from collections.abc import Iterator

import numpy as np
import psutil
import ray
from ray.cluster_utils import Cluster

from groundswell import ray_pool
from groundswell.encoder import BUNDLED, EmbeddingError, load_encoder
from groundswell.encoders import open_encoder

TEXTS, BATCH = 400, 20
Batch = tuple[list[str], list[str]]


def processes() -> dict[int, int]:
    """The processes that encode, and the raylet of each: {pid: pid of the raylet}."""
    found = psutil.Process().children(recursive=True)
    return {each.pid: each.ppid() for each in found if each.name().startswith("ray::Worker")}


def until(number: int) -> dict[int, int]:
    """Wait until as many processes encode."""
    while len(found := processes()) != number:
        time.sleep(0.1)
    return found


def main() -> None:
    texts = [f"The export of report {number} stops with error {number * 7} since the update" for number in range(TEXTS)]
    batches = [(texts[top : top + BATCH],) * 2 for top in range(0, TEXTS, BATCH)]
    local, used = load_encoder(BUNDLED, "auto")
    expected = np.vstack([local(batch) for _, batch in batches])
    options = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=options)
    other = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    os.environ["RAY_ADDRESS"] = cluster.address
    said: dict[str, object] = {}

    def killing() -> Iterator[Batch]:
        """The batches; a process is killed when a few are read, and a node later."""
        for number, batch in enumerate(batches):
            if number == 6:
                os.kill(min(until(2)), 9)
            if number == 12:
                until(2)
                cluster.remove_node(other, allow_graceful=False)
            yield batch

    with open_encoder("ray", BUNDLED, "auto") as (encode_batches, on_nodes):
        raylets = set(until(2).values())
        whole = list(encode_batches(batches))
        said["nodes"], said["used"] = len(raylets), [used, on_nodes]
        said["names"] = [name for names, _ in whole for name in names] == texts
        said["identical"] = bool((np.vstack([each for _, each in whole]) == expected).all())
        killed = list(encode_batches(killing()))
        said["names after kills"] = [name for names, _ in killed for name in names] == texts
        said["identical after kills"] = bool((np.vstack([each for _, each in killed]) == expected).all())
        said["left"] = len(set(processes().values()))
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        pool = ray_pool.start_workers(ray, BUNDLED, "auto")
        facts = ray_pool.agreed_facts(ray, pool)
        list(ray_pool.encode_batches(ray, pool, facts._replace(used="CPU, fp64"), batches[:1]))
    except EmbeddingError as error:
        said["otherwise"] = str(error)
    ray.shutdown()
    cluster.shutdown()
    try:
        with open_encoder("ray", BUNDLED, "auto"):
            pass
    except EmbeddingError as error:
        said["away"] = str(error)
    sys.stdout.write(f"\n{json.dumps(said)}\n")


if __name__ == "__main__":
    main()
