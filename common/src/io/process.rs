//! The only spawner of child processes.
