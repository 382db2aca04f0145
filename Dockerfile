# Build: docker build --tag apus .
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        librdkafka-dev libsimdjson-dev libvectorscan-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies change less often than the sources: a layer of their own.
COPY Package.* ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build --configuration release --product apus --static-swift-stdlib \
    && install -D "$(swift build --configuration release --show-bin-path)/apus" /out/apus

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates librdkafka1 libsimdjson14 libvectorscan5 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin apus \
    && install -d -o apus -g apus /run/apus
COPY --from=build /out/apus /usr/local/bin/apus
COPY config/apus.yaml /etc/apus/apus.yaml
COPY config/rules /etc/apus/rules

WORKDIR /etc/apus
USER 10001:10001
ENV APUS_CONFIG=/etc/apus/apus.yaml \
    APUS_RULES_PATHS=/etc/apus/rules \
    APUS_HEALTH_FILE=/run/apus/health.json \
    APUS_LOG_FORMAT=json
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["apus", "health"]
ENTRYPOINT ["apus"]
CMD ["run", "--config", "/etc/apus/apus.yaml"]
