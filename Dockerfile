# syntax=docker/dockerfile:1
# The image contains only the program and the certificates of public authorities: no shell, no libc, no package manager.
# Build it with BuildKit or buildah:
#
#   docker build --build-arg BUILD_COMMIT="$(git rev-parse HEAD)" -t REGISTRY/okta-insightful-operator:0.1.0 .
#
# For another architecture, add --platform.

# The Rust version of rust-toolchain.toml. Alpine's target is musl, so the program is static.
FROM rust:1.95.0-alpine AS build
# The allocator needs make.
RUN apk add --no-cache make
WORKDIR /src
COPY . .
# Exposed as okta_insightful_build_info.
ARG BUILD_COMMIT=unknown
# For reproducible builds, the lock file fixes all sources, and paths are remapped; the program contains no build time and
# no host name. The allocator is built for the largest page size of the architecture: 64 KiB on arm64.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    case "$(uname -m)" in aarch64) pages=16 ;; *) pages=12 ;; esac \
    && JEMALLOC_SYS_WITH_LG_PAGE=$pages BUILD_COMMIT=$BUILD_COMMIT RUSTFLAGS="--remap-path-prefix=/usr/local/cargo=/cargo --remap-path-prefix=/src=/src" \
    cargo build --release --locked --package okta-insightful-operator --no-default-features --features operator \
    && cp target/release/okta-insightful-operator /okta-insightful-operator

FROM scratch
ARG BUILD_COMMIT=unknown
LABEL org.opencontainers.image.title="okta-insightful-operator" \
      org.opencontainers.image.description="Keeps people and teams in Insightful in step with Okta" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$BUILD_COMMIT" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /okta-insightful-operator /okta-insightful-operator
# Numeric, so that Kubernetes can verify that it is not root. The program only writes to its state directory, so the root
# file system can be read-only.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/okta-insightful-operator"]
CMD ["run", "--metrics-address=[::]:8080"]
