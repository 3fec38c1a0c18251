// The Prometheus operator's release, of which the tests of the chart take the definitions: nothing is built from it,
// so `go mod tidy` would leave nothing of it.
module sandbox/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
