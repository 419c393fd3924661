//! The drills of five real systems: each starts from the scenario `seeds`, runs the real SDK, walks by keys as an operator would, and
//! holds the words on screen against what somebody who is paged has to read there. Drills that change something at AWS are not here.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "stage/mod.rs"]
mod stage;

#[path = "drills/walk.rs"]
mod walk;

#[path = "drills/campuslearn.rs"]
mod campuslearn;
#[path = "drills/fleet.rs"]
mod fleet;
#[path = "drills/lomash.rs"]
mod lomash;
#[path = "drills/oky.rs"]
mod oky;
#[path = "drills/tutorbloc.rs"]
mod tutorbloc;
#[path = "drills/zanda.rs"]
mod zanda;
