//! Layer 5: carrying out a cut.
