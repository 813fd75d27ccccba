package telemetry

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// scrape parses a page as Prometheus does.
func scrape(t *testing.T, tel *telemetry.Telemetry) map[string]*dto.MetricFamily {
	t.Helper()
	srv := httptest.NewServer(tel.Handler())
	defer srv.Close()
	res, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if f := expfmt.ResponseFormat(res.Header); f.FormatType() != expfmt.TypeTextPlain {
		t.Errorf("format %q", f)
	}
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// Prometheus' own parser reads every metric of a cache, with its type, and histograms
// whose buckets add up.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(nil, telemetry.Options{Service: "a \"quoted\"\nservice"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Close(t.Context()) })
	for _, name := range []string{"user", "evil\"\\\n{}name", "é"} {
		tel.Register(observe.Source{
			Subject: observe.Subject{Kind: observe.Cache, Name: name}, Metrics: larder.Metrics(),
			Read: func(yield observe.Yield) {
				for i, m := range larder.Metrics() {
					if m.Instrument != observe.Histogram {
						yield(m, "", float64(i)+1)
					}
				}
			},
		})
		for i := range 40 {
			_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Cache, Name: name, Verb: "load"})
			end(nil)
			tel.Record(observe.Cache, name, &observe.Metric{Name: "larder.test.wait", Unit: "s", Instrument: observe.Histogram}, time.Microsecond<<i)
		}
	}
	families := scrape(t, tel)
	for name, want := range map[string]dto.MetricType{
		"larder_cache_hits_total":                 dto.MetricType_COUNTER,
		"larder_cache_invalidations_pending":      dto.MetricType_GAUGE,
		"larder_cache_l1_size_bytes":              dto.MetricType_GAUGE,
		"larder_cache_operation_duration_seconds": dto.MetricType_HISTOGRAM,
		"larder_test_wait_seconds":                dto.MetricType_HISTOGRAM,
		"larder_build_info":                       dto.MetricType_GAUGE,
		"process_start_time_seconds":              dto.MetricType_GAUGE,
	} {
		f := families[name]
		if f == nil || f.GetType() != want {
			t.Errorf("%s: %v", name, f)
			continue
		}
		if want != dto.MetricType_HISTOGRAM {
			continue
		}
		if len(f.GetMetric()) != 3 {
			t.Errorf("%s has %d series, want 3", name, len(f.GetMetric()))
		}
		for _, m := range f.GetMetric() {
			h := m.GetHistogram()
			last := uint64(0)
			for _, b := range h.GetBucket() {
				if b.GetCumulativeCount() < last {
					t.Errorf("%s: a bucket has less than the one before", name)
				}
				last = b.GetCumulativeCount()
			}
			if last != 40 || h.GetSampleCount() != 40 {
				t.Errorf("%s: %d in the last bucket, %d in all", name, last, h.GetSampleCount())
			}
		}
	}
	for _, m := range larder.Metrics() {
		found := false
		for _, f := range families {
			found = found || f.GetHelp() == m.Help
		}
		if !found && m.Instrument != observe.Histogram {
			t.Errorf("%s is not on the page", m.Name)
		}
	}
}
