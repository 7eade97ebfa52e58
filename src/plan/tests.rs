//! Plans of whole situations: configuration as TOML text, a world that was applied before and
//! perhaps changed since, and the plan as text. No HTTP, no files.

mod barriers;
mod keys;
mod links;
mod lives;
mod mutants;
mod order;
mod renames;
mod run;
mod world;
