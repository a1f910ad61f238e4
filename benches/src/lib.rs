//! What Madang's fan-out costs, beside others doing the same work.

pub mod frame;
pub mod idle;
pub mod load;
pub mod report;
pub mod server;
