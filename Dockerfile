FROM python:3.13-slim

RUN useradd --create-home --uid 1000 foldstream
WORKDIR /opt/foldstream
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY domain domain
COPY projections projections
COPY infrastructure infrastructure
COPY service service
RUN python -m pip install --no-cache-dir --no-build-isolation --no-deps .
USER foldstream
CMD ["foldstream", "api", "--host", "0.0.0.0", "--port", "8000"]
