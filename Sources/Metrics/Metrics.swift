/// # Metrics
///
/// Counters, gauges and histograms with labels, kept in memory and written out as text when a scraper asks.
///
/// * A ``MetricsRegistry`` owns families; a family (``CounterFamily``, ``GaugeFamily``, ``HistogramFamily``)
///   has a name, a help text and label names, and one series for each combination of label values.
/// * Series are found once, at start, and then held: ``Counter/increment(by:)`` is one atomic addition and
///   takes no lock, ``Histogram/observe(_:)`` takes one uncontended lock.
/// * Values that already live elsewhere (open descriptors, sizes of queues) are read at scrape time by a
///   collector.
/// * ``MetricsRegistry/render(_:)`` writes the Prometheus text format 0.0.4 or OpenMetrics 1.0.
///
/// Names, label names and numbers of label values are the program's own text: a wrong one is a broken
/// invariant and traps at start. Label *values* may come from anywhere and are escaped; the number of series
/// in a family is bounded, and what goes beyond the bound is counted in
/// `sandwarden_metrics_dropped_series_total`.
///
/// Not supported: exemplars, `_created` samples, summaries, state sets, native histograms, timestamps.
