//! rackform: plan and apply for the physical layer of a private cloud.
//!
//! One flow, one direction. Everything above the line is pure and synchronous: values in, values
//! out. Everything below it has effects.
//!
//! ```text
//!  schemas/*.toml      *.rack.toml           state text            live replies
//!       │                   │                    │                      │
//!    schema ────────────► config               state                  wire
//!       │            (source, parse,       (format, journal,      (encode, decode)
//!       │             expr, resolve)           pending)                 │
//!       │                   │                    │                  inventory
//!       │                Desired               State                    │
//!       └───────────────────┴─────────► plan ◄──────────────────────────┘
//!                                        │      diff → decide → order → steps → guard
//!                                     Plan (data: changes, steps, drift, notes)
//!                                    │        │
//!                                 render   schedule
//!  ── effects ──────────────────────────────────────────────────────────────────────────
//!    http ► provider ► observe          store (locks, durable writes)
//!                         │                │
//!                         └──► apply ◄─────┘      events ► render
//!                                │
//!                               cli: the only place that prints and reads the environment
//! ```
//!
//! The modules below stand in import order: each may use only those above it
//! (`tests/it/architecture.rs` keeps this). To learn what is true after an apply, the pipeline is
//! run again; nothing calls back into the planner.

pub mod address;
pub mod value;
pub mod diag;
pub mod graph;
pub mod schema;
pub mod inventory;
pub mod config;
pub mod state;
pub mod wire;
pub mod plan;
pub mod event;
pub mod render;
// ---- above: pure and synchronous. below: effects ----
pub mod http;
pub mod store;
pub mod provider;
pub mod observe;
pub mod apply;
pub mod emulator;
pub mod cli;
