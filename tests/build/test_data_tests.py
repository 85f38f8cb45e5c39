"""Each data test of tests/dbt can fail: one wrong row in a built database is enough. And every column is described."""

import json
from pathlib import Path

from tests.support.project import DAY, DBT, ROOT, Project

# By data test, the statement that makes a row wrong. Parts of a row that no statement names stay as they were built.
WRONG_ROWS = {
    "demand_grows_with_its_parts": """
        insert into gold.problems
        select * replace ('copy' as problem_id, demand_score - 1 as demand_score) from gold.problems limit 1
    """,
    "every_post_has_a_complaint_score": """
        update silver.documents set complaint_score = null
        where url_hash = (select min(url_hash) from silver.documents where text != '')
    """,
    "every_post_is_placed": """
        delete from silver.cluster_assignments
        where url_hash = (select max(url_hash) from silver.documents where text != '')
    """,
    "no_request_leaves_within_a_pause": f"""
        insert into bronze.ingest_requests by name
        select
            unnest([-3, -4]) as request_id, 'github' as source, 'https://api.github.com' as url, 9 as allowance,
            60 as span_seconds, unnest([30, null]) as pause_seconds, timestamp '{DAY} 11:00:00' as requested_at,
            unnest([timestamp '{DAY} 11:00:00', timestamp '{DAY} 11:00:30']) as left_at,
            timestamp '{DAY} 11:00:01' as answered_at
    """,
    "no_service_is_asked_too_fast": f"""
        insert into bronze.ingest_requests by name
        select
            -unnest([1, 2]) as request_id, 'github' as source, 'https://api.github.com' as url, 1 as allowance,
            60 as span_seconds, timestamp '{DAY} 12:00:00' as requested_at
    """,
    "nothing_is_missing_without_a_reason": """
        update bronze.ingest_windows set reported_total = fetched + 1, error = null
        where query = (select min(query) from bronze.ingest_windows)
    """,
    "nothing_private_leaves_documents": """
        update silver.documents set excerpt = 'git@github.com:o/r, or write to jane@mail.example.coffee'
        where url_hash = (select max(url_hash) from silver.documents)
    """,
    "no_problem_is_held_back": """
        update gold.problems set days_seen = days_seen + 1
        where problem_id = (select max(problem_id) from gold.problems)
    """,
    "max_length_themes_title__120": "update gold.themes set title = repeat('long ', 30)",
    "not_blank_summaries_summary": "update silver.summaries set summary = ' '",
    "web_address_theme_posts_url": "update gold.theme_posts set url = 'javascript:alert(1)'",
    "windows_cover_the_day": """
        update bronze.ingest_windows set window_end = window_end - interval 1 hour
        where query = (select max(query) from bronze.ingest_windows)
    """,
    "between_documents_complaint_score__1__0": """
        update silver.documents set complaint_score = 1.5
        where url_hash = (select max(url_hash) from silver.documents)
    """,
    "no_issue_is_held_back": """
        update gold.issue_evidence set quote = 'words that nobody wrote'
        where evidence_id = (select max(evidence_id) from gold.issue_evidence)
    """,
    "no_nulls_in_cluster_assignments": """
        update silver.cluster_assignments set similarity = null
        where url_hash = (select min(url_hash) from silver.cluster_assignments)
    """,
    "unique_together_embeddings_content_hash__content_hash__model": """
        insert into silver.embeddings select * from silver.embeddings limit 1
    """,
    "unit_length_embeddings_embedding": """
        update silver.embeddings set embedding = list_transform(embedding, lambda number: 2 * number)
        where content_hash = (select max(content_hash) from silver.embeddings)
    """,
}


def test_every_data_test_fails_on_a_wrong_row(built: Project, tmp_path: Path) -> None:
    assert {path.stem for path in (ROOT / "tests" / "dbt").glob("*.sql")} <= set(WRONG_ROWS)
    wrong = built.copy_to(tmp_path)
    for statement in WRONG_ROWS.values():
        wrong.query(statement)
    finished = wrong.run(DBT, "test", "--select", *WRONG_ROWS, "--vars", f"date: {DAY}")
    assert finished.status == 1, finished.output
    results = json.loads((wrong.database.with_suffix(".target") / "run_results.json").read_text())["results"]
    statuses = {result["unique_id"].split(".")[2]: result["status"] for result in results}
    assert {name: statuses.get(name) for name in WRONG_ROWS} == dict.fromkeys(WRONG_ROWS, "fail"), finished.output


def test_every_column_of_a_built_table_is_described(built: Project) -> None:
    manifest = json.loads((built.database.with_suffix(".target") / "manifest.json").read_text())
    described = {
        (node["schema"], node["name"], column["name"])
        for node in [*manifest["nodes"].values(), *manifest["sources"].values()]
        for column in node["columns"].values()
        if column["description"]
    }
    columns = built.query(
        "select schema_name, table_name, column_name from duckdb_columns()"
        " where schema_name in ('bronze', 'silver', 'gold')"
    )
    assert set(columns) - described == set()
