// The release of Argo CD whose resource definitions the tests of the examples use. Nothing is built from it, so `go mod
// tidy` would remove it.
module sandbox/argo-cd

go 1.26.0

require github.com/argoproj/argo-cd/v3 v3.5.7
