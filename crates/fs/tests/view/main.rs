//! What a jail is planned to see, and what it sees.

#[cfg(test)]
mod host;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod privilege;
#[cfg(test)]
mod seen;
