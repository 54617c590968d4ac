//! Threads that stay on CPUs of their own: the way of an order through the engine, with its threads wherever the system
//! puts them, and pinned by their role to what the machine's topology offers.

mod background;
mod cases;
mod class;
mod hand_off;
mod place;
mod way;

pub(crate) use cases::register;
