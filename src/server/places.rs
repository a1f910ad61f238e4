//! How many connections there may be, in all and from each address.

use super::security::network;
use crate::domain::limits;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Addresses without a connection are forgotten once there are more than this many.
const ADDRESSES_BEFORE_SWEEP: usize = 10_000;

/// A connection's place; free again when dropped.
pub type Place = OwnedSemaphorePermit;

/// The places that there are.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    /// For one address; 0 is without limit.
    per_address: usize,
    addresses: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Places {
    /// As many as the descriptor limit leaves room for, and so many for each address; 0 lifts that limit.
    #[must_use]
    pub fn new(per_address: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(descriptors())), per_address, addresses: Mutex::default() }
    }

    /// One of all places.
    #[must_use]
    pub fn take(&self) -> Option<Place> {
        self.all.clone().try_acquire_owned().ok()
    }

    /// One of those of an address, or of the network that counts as one.
    #[must_use]
    pub fn take_of(&self, address: IpAddr) -> Option<Place> {
        let allowed = if self.per_address == 0 { Semaphore::MAX_PERMITS } else { self.per_address };
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() > ADDRESSES_BEFORE_SWEEP {
            addresses.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = addresses.entry(network(address)).or_insert_with(|| Arc::new(Semaphore::new(allowed)));
        places.clone().try_acquire_owned().ok()
    }
}

/// How many connections the descriptor limit leaves room for, after raising it as far as it goes.
fn descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let room = current.map_or(u64::MAX, |limit| limit.saturating_sub(limits::DESCRIPTORS_RESERVED).max(1));
    usize::try_from(room).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}
