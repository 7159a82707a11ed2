//! Layer 5: the frame of a service.
