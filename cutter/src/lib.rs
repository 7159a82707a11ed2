//! cutter
