# The board and the nightly day: see compose.yml, and docs/operations.md.
FROM python:3.11-slim

# PyTorch's CPU build; PyPI's brings several gigabytes of CUDA libraries. Another index of the same versions works too.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /srv/groundswell
COPY . .
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -c constraints.txt -e '.[bundled,lake]' \
    && useradd --create-home --uid 10001 groundswell \
    && install -d -o groundswell /data

# All that is written stands in the volume.
ENV PATH=/srv/groundswell/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GROUNDSWELL_DB=/data/groundswell.duckdb \
    DBT_TARGET_PATH=/data/target \
    DBT_LOG_PATH=/data/logs
VOLUME /data
USER 10001
ENTRYPOINT ["python", "-m", "groundswell"]
CMD ["day"]
