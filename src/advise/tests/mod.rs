//! Advice on studies whose truth is known.

mod effects;
mod front;
mod recommend;
