// The release of the Prometheus operator whose resource definitions the tests of the chart use. Nothing is built from
// it, so `go mod tidy` would remove it.
module sandbox/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
