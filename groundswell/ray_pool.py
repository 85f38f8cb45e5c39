"""Encodes texts on the nodes of a Ray cluster that is already there: one process a GPU, or one a node without GPUs.

Each node needs this project and the model, as on this machine. Batches are the same as on one machine and come back in
their order, so the vectors are those of one machine as long as all processes compute alike: they must agree on the
device, its precision and the weights. A batch of a lost process goes to another one. At most AHEAD batches a process
are under way or wait for their turn.
"""

import importlib
import os
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from dbt.adapters.events.logging import AdapterLogger

from groundswell.encoder import EmbeddingError, digest_of, load_encoder, model_folder
from groundswell.encoders import EncodeBatches
from groundswell.errors import adding
from groundswell.vectors import Vectors

# The batches of a process that are under way, or whose vectors wait for an earlier batch.
AHEAD = 2
# How often Ray starts a process again on its node and sends it its batches again, and how many nodes a batch may lose.
RESTARTS, ATTEMPTS = 3, 4
# The seconds after which a node that has no room, or does not load the model, counts as unusable.
PATIENCE = 300

log = AdapterLogger("Groundswell")

Batch = tuple[list[str], list[str]]


class Facts(NamedTuple):
    """How a process computes: the device with its precision, and the SHA-256 of the weights."""

    used: str
    weights: str


class Worker:
    """One process on a node of the cluster. A process that is started again must compute as before."""

    def __init__(self, name: str, precision: str) -> None:
        self.encode_texts, used = load_encoder(name, precision)
        self.facts_of_process = Facts(used, digest_of(model_folder(name)))

    def facts(self) -> Facts:
        """How this process computes."""
        return self.facts_of_process

    def encode(self, texts: list[str], expected: Facts) -> Vectors | Facts:
        """The vectors (n, 384) of n texts; the facts if they are not the expected ones."""
        if self.facts_of_process != expected:
            return self.facts_of_process
        return self.encode_texts(texts)


@contextmanager
def open_pool(name: str, precision: str) -> Iterator[tuple[EncodeBatches, str]]:
    """Start the processes. Gives a function that encodes batches, and the device with its precision.

    Raises EmbeddingError if there is no cluster, no node has room, or two processes do not compute alike.
    """
    ray = connected()
    pool: dict[Any, str] = {}
    try:
        pool = start_workers(ray, name, precision)
        expected = agreed_facts(ray, pool)
        log.info(f"Encoding on {len(pool)} processes of the Ray cluster at {os.environ['RAY_ADDRESS']}")
        yield lambda batches: encode_batches(ray, pool, expected, batches), expected.used
    finally:
        for worker in pool:
            ray.kill(worker)
        ray.shutdown()


def connected() -> Any:
    """The module ray, connected to the cluster of RAY_ADDRESS. Raises EmbeddingError."""
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError:
        raise EmbeddingError(f"embed_engine ray: Ray is not installed: {adding('ray')}") from None
    address = os.environ.get("RAY_ADDRESS", "")
    # Ray would start a cluster of its own, which listens on all addresses of the machine.
    if address in ("", "local"):
        raise EmbeddingError(
            "embed_engine ray: RAY_ADDRESS names no cluster: set it to HOST:PORT of a running one, or use embed_engine"
            " local"
        )
    try:
        if "://" not in address and address != "auto":
            # Ray itself waits for minutes.
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, namespace="groundswell", log_to_driver=False, logging_level="ERROR")
    except (RuntimeError, ValueError, ImportError, OSError) as error:
        [reason, *_] = f"{error}".strip().splitlines() or [type(error).__name__]
        raise EmbeddingError(
            f"embed_engine ray: no connection to the cluster at RAY_ADDRESS {address}: {reason}"
        ) from None
    return ray


def start_workers(ray: Any, name: str, precision: str) -> dict[Any, str]:
    """Start a process for each GPU, or one on a node without GPUs that takes its CPUs: {process: name of its node}."""
    on_node = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    remote = ray.remote(Worker)
    pool = {}
    for node in ray.nodes():
        resources = node["Resources"] if node["Alive"] else {}
        gpus, cpus = int(resources.get("GPU", 0)), resources.get("CPU", 0)
        # A head that lends no CPUs is left alone.
        for _ in range(gpus or int(cpus >= 1)):
            needs = {"num_gpus": 1, "num_cpus": 0} if gpus else {"num_cpus": cpus}
            options = {
                "scheduling_strategy": on_node(node["NodeID"], soft=False),
                "max_restarts": RESTARTS,
                "max_task_retries": RESTARTS,
            }
            worker = remote.options(**needs, **options).remote(name, precision)
            pool[worker] = node["NodeManagerHostname"]
    if not pool:
        raise EmbeddingError("embed_engine ray: no node of the cluster has a CPU or a GPU to lend")
    return pool


def agreed_facts(ray: Any, pool: dict[Any, str]) -> Facts:
    """What all processes say of themselves; processes that do not start in time are left out of the pool."""
    asked = {worker.facts.remote(): worker for worker in pool}
    ready, late = ray.wait(list(asked), num_returns=len(asked), timeout=PATIENCE)
    reasons = [f"{pool[asked[each]]} did not load the model in {PATIENCE} s" for each in late]
    said: dict[Any, Facts] = {}
    for each in ready:
        try:
            said[asked[each]] = ray.get(each)
        except ray.exceptions.RayError as error:
            reasons.append(f"{pool[asked[each]]}: {reason_of(error)}")
    for worker in set(pool) - set(said):
        del pool[worker]
        ray.kill(worker)
    if not said:
        raise EmbeddingError(f"embed_engine ray: no node can encode; {'; '.join(sorted(set(reasons)))}")
    for reason in reasons:
        log.warning(f"A node of the Ray cluster is left out: {reason}")
    one, *others = sorted(set(said.values()))
    for other in others:
        raise unlike(one, other)
    return one


def unlike(one: Facts, other: Facts) -> EmbeddingError:
    """Two processes would give vectors that must not be compared."""
    if one.used != other.used:
        return EmbeddingError(
            f"embed_engine ray: one node computes on {one.used}, another one on {other.used}, and their vectors must"
            " not mix: use nodes of one kind, or embedding_precision fp32 on CPUs"
        )
    return EmbeddingError(
        f"embed_engine ray: the nodes have different weights (SHA-256 {one.weights} and {other.weights}): install the"
        " same model on each"
    )


def reason_of(error: Exception) -> str:
    """What went wrong in a process, without its traceback."""
    cause = getattr(error, "cause", None) or error
    lines = f"{cause}".strip().splitlines() or [""]
    # The last line of a traceback is the message.
    return f"{type(cause).__name__}: {lines[-1].strip()}"


def encode_batches(
    ray: Any, pool: dict[Any, str], expected: Facts, batches: Iterable[Batch]
) -> Iterator[tuple[list[str], Vectors]]:
    """Yield names and unit vectors (n, 384) of the batches, in their order.

    pool: processes and the names of their nodes; lost ones are taken out of it. Raises EmbeddingError if none is left.
    """
    unread = enumerate(batches)
    waiting: deque[tuple[int, Batch, int]] = deque()
    at_work: dict[Any, tuple[Any, int, Batch, int]] = {}
    done: dict[int, tuple[list[str], Vectors]] = {}
    turn = 0
    limit = AHEAD * len(pool)
    while True:
        busy = [worker for worker, *_ in at_work.values()]
        free = [worker for worker in pool for _ in range(AHEAD - busy.count(worker))]
        for worker in sorted(free, key=busy.count):
            # What waits for an earlier batch counts too: a slow process does not fill the memory.
            if not waiting and len(at_work) + len(done) < limit and (new := next(unread, None)):
                waiting.append((*new, 1))
            if waiting:
                number, batch, attempt = waiting.popleft()
                at_work[worker.encode.remote(batch[1], expected)] = worker, number, batch, attempt
        if not at_work:
            return
        for each in ray.wait(list(at_work))[0]:
            worker, number, batch, attempt = at_work.pop(each)
            try:
                found = ray.get(each)
            except ray.exceptions.RayActorError:
                if worker in pool:
                    log.warning(f"A process on node {pool.pop(worker)} of the Ray cluster is lost; others go on")
                if attempt == ATTEMPTS or not pool:
                    raise EmbeddingError(
                        f"embed_engine ray: a batch was lost {attempt} times with its process, {len(pool)} are left;"
                        " the next run goes on from the batches that are done"
                    ) from None
                waiting.appendleft((number, batch, attempt + 1))
                continue
            except ray.exceptions.RayError as error:
                raise EmbeddingError(f"embed_engine ray: {reason_of(error)}") from None
            if isinstance(found, Facts):
                raise unlike(expected, found)
            done[number] = batch[0], found
        while turn in done:
            yield done.pop(turn)
            turn += 1
