//! backfiller
