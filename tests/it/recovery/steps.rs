//! Small topologies, killed before and after every single request and at every journal record.
