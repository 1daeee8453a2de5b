# One image, two uses: `serve` (the web app) and `run --pipeline …` (any other kedro command).
# docs/containers.md says how to build and run it.
ARG BASE=python:3.11-slim

# What the package imports, at the versions of requirements.lock; no notebooks, no development tools.
FROM ${BASE} AS libraries
# `production,cluster` brings Dask, for scheduler, workers and trainings against them.
ARG EXTRAS=production
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils
RUN python3 -m venv /opt/venv
COPY pyproject.toml requirements.lock /build/
WORKDIR /build
RUN python3 -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
    print(*p['dependencies'], sep='\n'); \
    [print(*p['optional-dependencies'][e], sep='\n') for e in '${EXTRAS}'.split(',')]" > wanted.txt
# The secret is pip's configuration, for those whose packages come from an index of their own.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile \
      --only-binary :all: --constraint requirements.lock --requirement wanted.txt \
 && /opt/venv/bin/pip uninstall --quiet --yes pip setuptools
# Tests, headers and symbols are a quarter of it. Libraries in *.libs were patched by those who built
# them; stripped, they no longer load.
RUN cd /opt/venv/lib/python3.11/site-packages \
 && find . -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -r {} + \
 && rm -r pyarrow/include \
 && find . -path '*.libs' -prune -o -name '*.so*' -type f -exec strip --strip-unneeded {} + \
 && python3 -m compileall -q -j 0 -x kedro/templates --invalidation-mode unchecked-hash /opt/venv/lib

FROM ${BASE}
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && groupadd --gid 10001 grocery && useradd --uid 10001 --gid 10001 --no-create-home \
      --home-dir /tmp --shell /usr/sbin/nologin grocery
COPY --from=libraries /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app/src \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DO_NOT_TRACK=true \
    KEDRO_DISABLE_TELEMETRY=true \
    MLFLOW_DISABLE_TELEMETRY=true \
    OMP_WAIT_POLICY=passive \
    GOMP_SPINCOUNT=1000 \
    GIT_PYTHON_REFRESH=quiet \
    MPLCONFIGDIR=/tmp/matplotlib \
    GROCERY_DEMAND_HOST=0.0.0.0 \
    GROCERY_DEMAND_PORT=5005
WORKDIR /app
COPY pyproject.toml requirements.lock .telemetry ./
COPY conf conf
COPY src src
RUN python3 -m compileall -q --invalidation-mode unchecked-hash src \
 && install --directory --owner grocery --group grocery data data/01_raw data/01_raw/incoming
# After what costs time, as they change with each build.
ARG COMMIT=unknown
ARG DIRTY=unknown
ARG CREATED=unknown
ENV GROCERY_DEMAND_COMMIT=${COMMIT} \
    GROCERY_DEMAND_DIRTY=${DIRTY}
LABEL org.opencontainers.image.title="grocery-demand" \
      org.opencontainers.image.description="Grocery demand forecasts: the web app and its pipelines" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${CREATED}" \
      grocery-demand.model-version="as published"
USER 10001:10001
VOLUME ["/app/data", "/tmp"]
EXPOSE 5005
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python3", "-m", "grocery_demand.serving.health_check"]
ENTRYPOINT ["kedro"]
CMD ["serve"]
