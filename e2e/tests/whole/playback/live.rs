//! What goes on.
