# One image for the API, the projections and the sagas: which of them a container is, its command says.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/foldstream
COPY requirements.lock requirements-dev.lock ./
RUN python -m pip --python /opt/foldstream install --no-cache-dir --no-compile --require-hashes --requirement requirements.lock
# Of what we develop with, the build needs setuptools alone.
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.lock > build.lock \
 && python -m pip install --no-cache-dir --require-hashes --requirement build.lock
COPY pyproject.toml README.md ./
COPY domain domain
COPY projections projections
COPY infrastructure infrastructure
COPY service service
RUN python -m pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir wheels . \
 && python -m pip --python /opt/foldstream install --no-cache-dir --no-compile --no-deps wheels/*.whl
# Compiled here, whatever time a copied file has: a start compiles nothing, and needs no file system that it can write.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/foldstream/lib

FROM python:3.13-slim
ARG REVISION=unknown
LABEL org.opencontainers.image.title="foldstream" \
      org.opencontainers.image.description="Event-sourced commands, exactly-once Redis read models and sagas on EventStoreDB" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
# A login name for the actor of what operators do in a container; it owns no file of the image.
RUN useradd --uid 1000 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin foldstream
COPY --from=build /opt/foldstream /opt/foldstream
ENV PATH=/opt/foldstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
# By number, since Kubernetes can't tell that a name is not root's.
USER 1000:1000
EXPOSE 8000
STOPSIGNAL SIGTERM
# No HEALTHCHECK: the three kinds of process are asked in three ways, which compose.yaml and deploy/kubernetes say.
CMD ["foldstream", "api", "--host", "0.0.0.0", "--port", "8000"]
