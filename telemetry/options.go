package telemetry

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/larder-go/larder/internal/minute"
)

// The defaults and limits of Options.
const (
	DefaultFlushEvery  = 5 * time.Second
	DefaultRetention   = 3 * time.Hour
	DefaultMaxSubjects = 500

	// MaxRetention bounds Options.Retention.
	MaxRetention = MaxMinutes * time.Minute

	minFlushEvery = 100 * time.Millisecond
	maxFlushEvery = time.Minute
	minRetention  = 2 * time.Minute
	maxSubjects   = 10_000
)

// Options are the settings of New. The zero value is valid.
type Options struct {
	// Service is what the program is called. Empty means the name of its executable.
	// At most 256 bytes.
	Service string
	// Instance tells this process from others of the service. Empty means host/pid. At
	// most 256 bytes.
	Instance string
	// FlushEvery is how often the minute's figures are written to Redis: what a killed
	// process loses at most, and how old others see its figures. 0 means
	// DefaultFlushEvery (5 s); 100 ms to 1 minute; negative is an error.
	FlushEvery time.Duration
	// Retention is how long minutes are kept in Redis. 0 means DefaultRetention (3 h);
	// 2 minutes to MaxRetention (48 h); negative is an error.
	Retention time.Duration
	// MaxSubjects bounds the names of features and nodes that are told apart; further
	// ones are counted together, as "(other)". 0 means DefaultMaxSubjects (500); at
	// most 10,000; negative is an error.
	MaxSubjects int
	// MeterProvider and TracerProvider are those of OpenTelemetry. Nil means the global
	// ones, which do nothing until the program sets them; the packages noop of
	// OpenTelemetry's API turn it off where it does.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// Logger hears of notable changes: a breaker that opened, invalidations that could
	// not be delivered, a flush that failed. Nil means silence.
	Logger *slog.Logger
}

func (o *Options) complete() error {
	if o.Service == "" {
		if name, err := os.Executable(); err == nil {
			o.Service = strings.TrimSuffix(filepath.Base(name), ".exe")
		}
	}
	if o.Instance == "" {
		host, _ := os.Hostname()
		o.Instance = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = DefaultFlushEvery
	}
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.MaxSubjects == 0 {
		o.MaxSubjects = DefaultMaxSubjects
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.Service != minute.Text(o.Service):
		return &OptionError{"Options.Service", fmt.Sprintf("%d bytes", len(o.Service)), "UTF-8, at most 256 bytes"}
	case o.Instance != minute.Text(o.Instance):
		return &OptionError{"Options.Instance", fmt.Sprintf("%d bytes", len(o.Instance)), "UTF-8, at most 256 bytes"}
	case o.FlushEvery < minFlushEvery || o.FlushEvery > maxFlushEvery:
		return &OptionError{"Options.FlushEvery", o.FlushEvery, "100ms to 1m, or 0 for 5s"}
	case o.Retention < minRetention || o.Retention > MaxRetention:
		return &OptionError{"Options.Retention", o.Retention, "2m to 48h, or 0 for 3h"}
	case o.MaxSubjects < 0 || o.MaxSubjects > maxSubjects:
		return &OptionError{"Options.MaxSubjects", o.MaxSubjects, "1 to 10000, or 0 for 500"}
	}
	return nil
}
