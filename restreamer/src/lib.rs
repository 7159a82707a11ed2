//! restreamer
