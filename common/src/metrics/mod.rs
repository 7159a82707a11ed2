//! Layer 2: the metrics registry.
