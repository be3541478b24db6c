//! What `jail` promises, shown on hosts of its own with real software. Each file is one subject; each test first shows
//! that the attack works where nothing stops it, where it is about something that must not.

mod article;
mod backends;
mod begin;
mod confinement;
mod damage;
mod doctor;
mod egress;
mod errors;
mod files;
mod filter;
mod harness;
mod identity;
mod interfaces;
mod landlock;
mod lifecycle;
mod listing;
mod macvlan;
mod networks;
mod nginx;
mod parallel;
mod publish;
mod servers;
mod starts;
mod userns;
mod users;
mod variants;
mod views;
