//! What the integration tests share.

pub mod cloud;
pub mod process;
pub mod raw;

mod harness_tests;
