#!/usr/bin/env bash
# duckdb 1.5.5 and 2.0.1.
#
# Guess: the cosine similarity to a vector of zeros, which has no direction, is null, or 0, as in scikit-learn, in all versions.
# Seen: in 1.5.5 it is -1, and the distance 2: as far away as a vector can be, also from itself. In 2.0.1 it is NaN, which
# DuckDB takes for the largest number. So `order by array_cosine_similarity(…) desc`, which had it last, has it first after the
# update, `similarity > 0.7` holds, and max() and avg() are NaN. Many embedding models give zeros for a text without a known
# word (Model2Vec, averaged word vectors, TF-IDF): the empty post becomes the best answer to each question.
# What we do: our model's vectors have the length 1, also for an empty text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/finding.py" <<'PY'
import sys

import duckdb

query = """
    with similarities as (
        select name, array_cosine_similarity(v, [1, 0]::float[2]) as similarity
        from (values ('near', [1, 1]::float[2]), ('far', [-1, 1]::float[2]), ('zeros', [0, 0]::float[2])) as t(name, v)
    )

    select list(name order by similarity desc), list(name order by name) filter (similarity > 0.7), avg(similarity)::text
    from similarities
"""
ranked, above, mean = duckdb.execute(query).fetchone()
print("duckdb", duckdb.__version__, "| best first:", ranked, "| above 0.7:", above, "| mean:", mean)
stated = {"1.5.5": (["near", "far", "zeros"], ["near"]), "2.0.1": (["zeros", "near", "far"], ["near", "zeros"])}
sys.exit(0 if (ranked, above) == stated[duckdb.__version__] and (mean == "nan") == (ranked[0] == "zeros") else "Changed.")
PY
for version in 1.5.5 2.0.1; do
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "duckdb==$version"
    "$folder/venv/bin/python" "$folder/finding.py"
done
echo "As stated: a vector of zeros goes from the last place to the first."
