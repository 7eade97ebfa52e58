//! `kill -9` of the real binary at every kind of moment, then the same command again: nothing is
//! made twice, nothing is lost, and nothing is left to do (design section 4).
//!
//! `hundred` kills a 200-host apply at 100 drawn points. `steps` kills a small one before and after
//! every request and at every journal record, and destroys and changes likewise. `parts` does so with monitors, disks and tags. `scene` is how.

mod hundred;
mod parts;
mod scene;
mod steps;
