//! What the first state write of a run names.
