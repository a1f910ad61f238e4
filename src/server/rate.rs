//! How much one sender, or one address, may do: token buckets.

use crate::domain::{Error, limits};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Buckets that are full again are forgotten once there are more than this many.
const BUCKETS_BEFORE_SWEEP: usize = 10_000;

/// Token buckets of one kind, one for each key.
#[derive(Debug)]
pub struct Rate<K> {
    /// The time that one token takes to come back; zero lifts the limit.
    interval: Duration,
    /// The time that a whole bucket takes.
    burst: Duration,
    /// For each key, when its bucket will be full again.
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq> Rate<K> {
    /// `amount` per `period`, sustained, and up to `burst` at once. An amount of 0 is no limit.
    #[must_use]
    pub fn new(amount: u32, period: Duration, burst: u32) -> Self {
        let interval = if amount == 0 { Duration::ZERO } else { period / amount };
        Self { interval, burst: interval * burst, full_at: Mutex::default() }
    }

    /// Takes one token from the bucket of `key`.
    ///
    /// # Errors
    /// [`Error::RateLimited`] with the time until there is one.
    pub fn take(&self, key: K) -> Result<(), Error> {
        if self.interval.is_zero() {
            return Ok(());
        }
        let now = Instant::now();
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > BUCKETS_BEFORE_SWEEP {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(key).or_insert(now);
        let next = (*full_at).max(now) + self.interval;
        let wait = next.saturating_duration_since(now + self.burst);
        if !wait.is_zero() {
            return Err(Error::RateLimited {
                retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1),
            });
        }
        *full_at = next;
        Ok(())
    }
}

/// At most `amount` per second, with the burst that a sender of messages has.
#[must_use]
pub fn messages<K: Hash + Eq>(per_second: u32, senders: u32) -> Rate<K> {
    let burst = limits::MESSAGES_BURST.saturating_mul(senders);
    Rate::new(per_second.saturating_mul(senders), Duration::from_secs(1), burst)
}

/// Entries into rooms: as fast as messages, once every room that a connection may be in.
#[must_use]
pub fn entries<K: Hash + Eq>(per_second: u32) -> Rate<K> {
    let rooms = u32::try_from(limits::ROOMS_PER_CONNECTION).unwrap_or(u32::MAX);
    Rate::new(per_second, Duration::from_secs(1), rooms + limits::MESSAGES_BURST)
}

/// At most `amount` per minute, with the burst of sign-ins and room creation.
#[must_use]
pub fn per_minute<K: Hash + Eq>(amount: u32) -> Rate<K> {
    Rate::new(amount, Duration::from_secs(60), limits::PER_MINUTE_BURST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_then_the_sustained_rate() {
        let rate = Rate::new(10, Duration::from_secs(1), 3);
        for _ in 0..3 {
            assert_eq!(rate.take("a"), Ok(()));
        }
        assert_eq!(rate.take("a"), Err(Error::RateLimited { retry_after_ms: 100 }));
        assert_eq!(rate.take("b"), Ok(()), "buckets are separate");
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(rate.take("a"), Ok(()));
        assert!(rate.take("a").is_err());
    }

    #[test]
    fn zero_lifts_the_limit() {
        let rate = messages(0, 1);
        assert!((0..10_000).all(|_| rate.take(1).is_ok()));
    }
}
