//! What the integration tests share.

pub mod cloud;
pub mod estate;
pub mod process;
pub mod raw;
pub mod seen;
pub mod shapes;
pub mod topology;

mod harness_tests;
