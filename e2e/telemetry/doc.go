// Package telemetry holds larder's telemetry against those who read it: an OTLP receiver
// behind OpenTelemetry's SDK and exporters, and Prometheus' own parser of its text
// format. Neither is for users to build, so they stand in this module.
package telemetry
