# syntax=docker/dockerfile:1

# The larder binary, alone in an image.
#
#   docker build -t larder .
#   docker run --rm larder help
#
# The binary starts on the embedded engine unless it is told where Redis is; a
# port that it listens on has to be published (-p) and bound to 0.0.0.0.
# `larder demo` reads the sources of Go's standard library, which this image
# does not contain: run it from a checkout, or mount a GOROOT.

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -buildvcs=false -trimpath -ldflags='-s -w' -o /out/larder ./cmd/larder
RUN mkdir -m 1777 /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tmp /tmp
COPY --from=build /out/larder /larder
# By number, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
ENTRYPOINT ["/larder"]
