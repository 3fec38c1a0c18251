# syntax=docker/dockerfile:1
# The same Rust as in rust-toolchain.toml. Alpine's target is musl, so the program is static.
FROM rust:1.95.0-alpine AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package okta-insightful-operator \
    && cp target/release/okta-insightful-operator /okta-insightful-operator

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /okta-insightful-operator /okta-insightful-operator
# Numeric, so that Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/okta-insightful-operator"]
CMD ["run", "--metrics-address=0.0.0.0:8080"]
