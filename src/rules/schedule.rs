//! Which sync is due, and when: a table of what is known, without a clock.
//!
//! A cycle reads Insightful whole and of Okta what changed since the last read.
//! Okta is read whole at each `fullInterval`, when somebody asks for a sync, and
//! whenever there is nothing sound to go on from: at first, after a failed read,
//! after a write whose effect is not known, and when the org, the token, the
//! prefix or the people in scope are others.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::api::{OktaIntegration, SyncSchedule};

/// The most by which an interval is shortened, as a divisor: a tenth.
const MOST_JITTER: f64 = 10.0;

/// How long a read may take without its end being late, where intervals are long.
const LONG_READ: Duration = Duration::from_secs(120);

/// The shortest time between two looks that nothing but the clock causes.
pub const SOONEST_LOOK: Duration = Duration::from_secs(1);

/// What is known when it is asked which sync is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastReads {
    /// Whether a sync was asked for that has not been answered.
    pub asked_for: bool,
    /// Since when both services were read well; None if they are to be read in any case.
    pub since_read: Option<Duration>,
    /// A read that failed since: until it is tried again, zero if that is now.
    pub retry_in: Option<Duration>,
    /// Whether what both services said is at hand, so that nothing need be read.
    pub has_snapshot: bool,
    /// Since when Okta was read whole, if what it said is at hand and it is
    /// known how far that follows Okta.
    pub since_full: Option<Duration>,
}

/// The sync that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// None: what was read last still stands.
    Nothing,
    /// None yet: the last read failed, and its next try is not due.
    Rest,
    /// What changed in Okta, and all of Insightful.
    Delta,
    /// Everything.
    Full(Why),
}

/// Why everything is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// By the annotation.
    AskedFor,
    /// The last read failed.
    AfterFailure,
    /// There is nothing to go on from.
    NothingToGoOn,
    /// `fullInterval` is over.
    IntervalOver,
}

impl Why {
    /// For the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AskedFor => "it was asked for",
            Self::AfterFailure => "the last read failed",
            Self::NothingToGoOn => "nothing is at hand to go on from",
            Self::IntervalOver => "fullInterval is over",
        }
    }
}

/// The sync that is due for the integration with this uid.
pub fn due(last_reads: LastReads, schedule: &SyncSchedule, uid: &str) -> Due {
    let LastReads {
        asked_for,
        since_read,
        retry_in,
        has_snapshot,
        since_full,
    } = last_reads;
    if asked_for {
        return Due::Full(Why::AskedFor);
    }
    match retry_in {
        Some(retry) if !retry.is_zero() => return Due::Rest,
        Some(_) => return Due::Full(Why::AfterFailure),
        None => {}
    }
    let is_fresh = since_read.is_some_and(|since| since < interval(schedule, uid));
    if has_snapshot && is_fresh {
        return Due::Nothing;
    }
    match since_full {
        None => Due::Full(Why::NothingToGoOn),
        Some(since) if since >= full_interval(schedule, uid) => Due::Full(Why::IntervalOver),
        Some(_) => Due::Delta,
    }
}

/// Until the next look at the integration with this uid, if nothing else causes
/// one: until its next sync, or what waits for a time of its own if that comes
/// first. What is over asks for none, since the present look has dealt with it.
/// Never at once, so that nothing can spin.
pub fn next_look(
    since_read: Option<Duration>,
    waiting: impl IntoIterator<Item = Duration>,
    schedule: &SyncSchedule,
    uid: &str,
) -> Duration {
    let interval = interval(schedule, uid);
    let next_sync = interval.saturating_sub(since_read.unwrap_or(interval));
    let waiting = waiting.into_iter().filter(|wait| !wait.is_zero());
    waiting.fold(next_sync, Duration::min).max(SOONEST_LOOK)
}

/// The time from one sync to the next of the integration with this uid: the one
/// asked for, or up to a tenth less, so that integrations that were begun
/// together spread out. Never more: `interval` is a promise.
pub fn interval(schedule: &SyncSchedule, uid: &str) -> Duration {
    jittered(schedule.interval.into(), uid, "interval")
}

/// The same for full syncs.
pub fn full_interval(schedule: &SyncSchedule, uid: &str) -> Duration {
    jittered(schedule.full_interval.into(), uid, "fullInterval")
}

/// Less by a part of a tenth that is always the same for the same uid.
fn jittered(interval: Duration, uid: &str, of: &str) -> Duration {
    let digest = Sha256::digest(format!("{of} {uid}"));
    let part = f64::from(u16::from_be_bytes([digest[0], digest[1]])) / f64::from(u16::MAX);
    interval.mul_f64(1.0 - part / MOST_JITTER)
}

/// The age of the last good sync beyond which it is late: two intervals, and the
/// time that a long read may take (but no more than one further interval).
pub fn late_after(schedule: &SyncSchedule) -> Duration {
    let interval: Duration = schedule.interval.into();
    interval.saturating_mul(2).saturating_add(interval.min(LONG_READ))
}

/// How long ago both services were last read well; None if they never were, or
/// if the integration is suspended and not to be read. From the integration
/// alone, so that it is right after a restart, and on a replica that stands by.
pub fn since_last_sync(integration: &OktaIntegration, now: Timestamp) -> Option<Duration> {
    if integration.spec.suspend {
        return None;
    }
    let last = integration.status.as_ref()?.last_sync_time.as_ref()?;
    // A time ahead of our clock is as good as now.
    Some(Duration::try_from(now.duration_since(last.0)).unwrap_or_default())
}

/// Whether an interval was missed: the last good sync is late.
pub fn is_late(integration: &OktaIntegration, now: Timestamp) -> bool {
    since_last_sync(integration, now).is_some_and(|since| since > late_after(&integration.spec.sync))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::OktaIntegrationStatus, rules::example::Example};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    const UID: &str = "0b6e7c1e-3f0e-4d59-9a0a-7f6f3f8a2d11";

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    /// Every quarter of an hour, and everything once a day.
    fn schedule() -> SyncSchedule {
        SyncSchedule::default()
    }

    #[test]
    fn which_sync_is_due() {
        let idle = LastReads {
            asked_for: false,
            since_read: Some(minutes(1)),
            retry_in: None,
            has_snapshot: true,
            since_full: Some(minutes(60)),
        };
        type Change = fn(&mut LastReads);
        let cases: [(&str, Change, Due); 14] = [
            ("a decision", |_| (), Due::Nothing),
            (
                "the interval is over",
                |s| s.since_read = Some(minutes(15)),
                Due::Delta,
            ),
            (
                "and so is the full one",
                |s| {
                    s.since_read = Some(minutes(15));
                    s.since_full = Some(minutes(24 * 60));
                },
                Due::Full(Why::IntervalOver),
            ),
            (
                "the full one waits for the other",
                |s| s.since_full = Some(minutes(24 * 60)),
                Due::Nothing,
            ),
            ("the annotation", |s| s.asked_for = true, Due::Full(Why::AskedFor)),
            (
                "the annotation, while a failed read rests",
                |s| {
                    s.asked_for = true;
                    s.retry_in = Some(minutes(5));
                },
                Due::Full(Why::AskedFor),
            ),
            (
                "a failed read rests",
                |s| s.retry_in = Some(minutes(5)),
                Due::Rest,
            ),
            (
                "whatever else is due",
                |s| {
                    s.retry_in = Some(minutes(5));
                    s.since_read = None;
                    s.since_full = None;
                    s.has_snapshot = false;
                },
                Due::Rest,
            ),
            (
                "and is tried again",
                |s| s.retry_in = Some(Duration::ZERO),
                Due::Full(Why::AfterFailure),
            ),
            (
                "nothing is known",
                |s| {
                    s.since_read = None;
                    s.has_snapshot = false;
                    s.since_full = None;
                },
                Due::Full(Why::NothingToGoOn),
            ),
            (
                "a restart with what was kept",
                |s| {
                    s.since_read = None;
                    s.has_snapshot = false;
                },
                Due::Delta,
            ),
            (
                "a restart with what was kept too long",
                |s| {
                    s.since_read = None;
                    s.has_snapshot = false;
                    s.since_full = Some(minutes(25 * 60));
                },
                Due::Full(Why::IntervalOver),
            ),
            (
                "a write whose effect is not known",
                |s| {
                    s.since_read = None;
                    s.since_full = None;
                },
                Due::Full(Why::NothingToGoOn),
            ),
            (
                "Okta does not tell its time",
                |s| {
                    s.since_read = Some(minutes(15));
                    s.since_full = None;
                },
                Due::Full(Why::NothingToGoOn),
            ),
        ];
        for (case, change, expected) in cases {
            let mut last_reads = idle;
            change(&mut last_reads);
            assert_eq!(due(last_reads, &schedule(), UID), expected, "{case}");
        }
    }

    #[test]
    fn when_it_is_looked_at_next() {
        let interval = interval(&schedule(), UID);
        let second = Duration::from_secs(1);
        for (since_read, waiting, expected) in [
            (Some(Duration::ZERO), &[][..], interval),
            (Some(minutes(5)), &[], interval - minutes(5)),
            // What waits for its own time comes first, the sync before what is later.
            (Some(minutes(5)), &[minutes(2), minutes(1)], minutes(1)),
            (Some(minutes(5)), &[minutes(60)], interval - minutes(5)),
            // What is over was dealt with.
            (Some(minutes(5)), &[Duration::ZERO], interval - minutes(5)),
            // Never at once.
            (Some(minutes(5)), &[second / 10], second),
            (Some(minutes(60)), &[], second),
            (None, &[], second),
        ] {
            let next = next_look(since_read, waiting.iter().copied(), &schedule(), UID);
            assert_eq!(next, expected, "{since_read:?} {waiting:?}");
        }
    }

    #[test]
    fn two_hundred_integrations_spread_over_the_last_tenth_of_the_interval() {
        let uids: Vec<String> = (0..200).map(|n| format!("uid-{n}")).collect();
        let mut tenths = [0; 10];
        for uid in &uids {
            let interval = interval(&schedule(), uid);
            assert!(
                minutes(15).mul_f64(0.9) <= interval && interval <= minutes(15),
                "{interval:?}"
            );
            assert_eq!(interval, super::interval(&schedule(), uid), "always the same");
            let part = 1.0 - (interval.as_secs_f64() - 810.0) / 90.0;
            tenths[((part * 10.0) as usize).min(9)] += 1;
        }
        assert!(tenths.iter().all(|count| (5..=40).contains(count)), "{tenths:?}");
    }

    #[test]
    fn late_is_what_missed_an_interval_and_more() {
        let mut integration = OktaIntegration::new("acme", Example::new().spec);
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(since_last_sync(&integration, now), None, "never read");
        let mut at = |minutes_ago: i64, interval: u64, suspend: bool| {
            let last = now - jiff::SignedDuration::from_mins(minutes_ago);
            integration.status = Some(OktaIntegrationStatus {
                last_sync_time: Some(Time(last)),
                ..OktaIntegrationStatus::default()
            });
            integration.spec.sync.interval = minutes(interval).into();
            integration.spec.suspend = suspend;
            (
                since_last_sync(&integration, now).map(|since| since.as_secs() / 60),
                is_late(&integration, now),
            )
        };
        assert_eq!(at(32, 15, false), (Some(32), false));
        assert_eq!(at(33, 15, false), (Some(33), true));
        assert_eq!(at(3, 1, false), (Some(3), false));
        assert_eq!(at(4, 1, false), (Some(4), true));
        assert_eq!(at(-5, 1, false), (Some(0), false), "by another's clock");
        assert_eq!(at(1000, 1, true), (None, false), "suspended");
    }
}
