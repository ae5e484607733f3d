// Package realtest gives tests real components to run against: an Apache Kafka broker, and the Delta
// readers of others. It drives the scripts of the folder above, which fetch what they need into a cache
// (MILLRACE_CACHE, default .cache in the project's folder), so its tests and those that use it have the
// build tag real and are no part of "go test ./...":
//
//	go test -tags real ./...
//
// Everything a test starts listens on loopback only and ends with the test.
package realtest
