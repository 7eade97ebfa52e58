//! The emulator as seen from outside: what a ZStack management node is known to answer, asked over
//! plain HTTP. In: an emulator per test, on a port of its own. Out: what differs from the known
//! answers, case by case (`tests/data/conformance/zstack.toml`). It must not know our client, nor
//! anything of the emulator but how to start it and its `/emulator/…` endpoints.

mod backup_storage;
mod cascades;
mod ceph;
mod framework;
mod host;
mod index;
mod jobs;
mod misc;
mod operators;
mod primary_storage;
mod query;
mod session;
mod world;
mod zone_cluster;
