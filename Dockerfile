FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements-dev.lock ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements-dev.lock
COPY pyproject.toml README.md ./
COPY domain domain
COPY projections projections
COPY infrastructure infrastructure
COPY service service
RUN python -m pip wheel --no-build-isolation --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 foldstream
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY --from=build /wheels /wheels
RUN python -m pip install --no-cache-dir --no-deps /wheels/*.whl
USER foldstream
CMD ["foldstream", "api", "--host", "0.0.0.0", "--port", "8000"]
