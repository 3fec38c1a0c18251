//! Decides which sync is due, and when. A pure function of the last reads, without a clock.
//!
//! A delta sync reads from Okta what changed since the last read, and all of
//! Insightful, unless nothing changed in Okta, nothing is to be written, and Insightful
//! was read a short time ago. A full sync reads all of both services. It is due at each `fullInterval`,
//! when somebody requests a sync, and when there is nothing to compare with: at first,
//! after a failed read, after a write whose outcome is unknown, and when the org, the
//! token, the prefix, the people in scope or the attributes that rules name change.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::api::{OktaIntegration, SyncSchedule};

/// An interval is shortened by up to one part in so many.
const JITTER_DIVISOR: f64 = 10.0;

/// How long a read may take before the sync counts as late, where intervals are longer.
const READ_ALLOWANCE: Duration = Duration::from_secs(120);

/// While nothing changes in Okta and nothing is to be written, Insightful is read with every so many syncs. Until then,
/// what somebody changes there is not noticed.
const SYNCS_PER_WORKFORCE_READ: u32 = 10;

/// The same, for longer intervals.
const MAX_IDLE_WORKFORCE_AGE: Duration = Duration::from_secs(600);

/// The least time between two reconciles that only the clock causes.
pub const MIN_REQUEUE: Duration = Duration::from_secs(1);

/// The state of an integration's reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastReads {
    /// Whether a sync was requested and not yet done.
    pub sync_requested: bool,
    /// The age of the last successful sync; None forces a read.
    pub since_sync: Option<Duration>,
    /// The time until a failed read is retried, zero if that is now; None if the last read succeeded.
    pub retry_in: Option<Duration>,
    /// Whether a snapshot of both services is in memory.
    pub has_snapshot: bool,
    /// The age of the last full sync; None if a delta cannot build on it.
    pub since_full_sync: Option<Duration>,
}

/// The sync that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The last snapshot is recent enough.
    Nothing,
    /// The last read failed, and its retry is not due yet.
    Backoff,
    Delta,
    Full(FullSyncReason),
}

/// Why a full sync is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullSyncReason {
    /// By the annotation.
    Requested,
    AfterFailure,
    /// There is no directory that a delta could be applied to.
    NoBaseline,
    IntervalElapsed,
}

impl FullSyncReason {
    /// Returns the reason for the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::AfterFailure => "the last read failed",
            Self::NoBaseline => "no earlier read to build on",
            Self::IntervalElapsed => "fullInterval has elapsed",
        }
    }
}

/// Returns the sync that is due for the integration with this uid.
pub fn due(last_reads: LastReads, schedule: &SyncSchedule, uid: &str) -> Due {
    let LastReads {
        sync_requested,
        since_sync,
        retry_in,
        has_snapshot,
        since_full_sync,
    } = last_reads;
    if sync_requested {
        return Due::Full(FullSyncReason::Requested);
    }
    match retry_in {
        Some(retry) if !retry.is_zero() => return Due::Backoff,
        Some(_) => return Due::Full(FullSyncReason::AfterFailure),
        None => {}
    }
    let is_fresh = since_sync.is_some_and(|since| since < interval(schedule, uid));
    if has_snapshot && is_fresh {
        return Due::Nothing;
    }
    match since_full_sync {
        None => Due::Full(FullSyncReason::NoBaseline),
        Some(since) if since >= full_interval(schedule, uid) => Due::Full(FullSyncReason::IntervalElapsed),
        Some(_) => Due::Delta,
    }
}

/// Whether a delta sync reads Insightful although nothing changed in Okta. `since_read` is the age of the last read of
/// Insightful; `is_settled` is whether nothing was left to write or to decide by the clock after it.
pub fn is_workforce_due(since_read: Option<Duration>, is_settled: bool, schedule: &SyncSchedule) -> bool {
    let interval: Duration = schedule.interval.into();
    let max_age = MAX_IDLE_WORKFORCE_AGE.min(interval.saturating_mul(SYNCS_PER_WORKFORCE_READ));
    !is_settled || since_read.is_none_or(|since| since >= max_age)
}

/// Returns the time until the next reconcile: the next sync, or the first of `timers`
/// if that is earlier. A timer that has run out was handled in the present reconcile.
/// At least [`MIN_REQUEUE`], so that nothing can spin.
pub fn requeue_after(
    since_sync: Option<Duration>,
    timers: impl IntoIterator<Item = Duration>,
    schedule: &SyncSchedule,
    uid: &str,
) -> Duration {
    let interval = interval(schedule, uid);
    let next_sync = interval.saturating_sub(since_sync.unwrap_or(interval));
    let timers = timers.into_iter().filter(|timer| !timer.is_zero());
    timers.fold(next_sync, Duration::min).max(MIN_REQUEUE)
}

/// Returns the time from one sync to the next: `interval`, shortened by a part that
/// depends on the uid, so that integrations that were created together spread out.
/// Never longer than `interval`.
pub fn interval(schedule: &SyncSchedule, uid: &str) -> Duration {
    jittered(schedule.interval.into(), uid, "interval")
}

/// Returns the time from one full sync to the next, shortened like [`interval`].
pub fn full_interval(schedule: &SyncSchedule, uid: &str) -> Duration {
    jittered(schedule.full_interval.into(), uid, "fullInterval")
}

fn jittered(interval: Duration, uid: &str, of: &str) -> Duration {
    let digest = Sha256::digest(format!("{of} {uid}"));
    let part = f64::from(u16::from_be_bytes([digest[0], digest[1]])) / f64::from(u16::MAX);
    interval.mul_f64(1.0 - part / JITTER_DIVISOR)
}

/// Returns the age from which the last successful sync is late: two intervals, and
/// an allowance for a long read (at most one more interval).
pub fn late_after(schedule: &SyncSchedule) -> Duration {
    let interval: Duration = schedule.interval.into();
    interval
        .saturating_mul(2)
        .saturating_add(interval.min(READ_ALLOWANCE))
}

/// Returns the age of the last successful sync; None if there was none, or if the
/// integration is suspended. Needs the integration alone, so it is right after a
/// restart and on a standby replica.
pub fn since_last_sync(integration: &OktaIntegration, now: Timestamp) -> Option<Duration> {
    if integration.spec.suspend {
        return None;
    }
    let last = integration.status.as_ref()?.last_sync_time.as_ref()?;
    // A time in the future comes from another clock.
    Some(Duration::try_from(now.duration_since(last.0)).unwrap_or_default())
}

/// Whether the last successful sync is late.
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

    /// The default: a sync each 15 minutes, a full one each day.
    fn schedule() -> SyncSchedule {
        SyncSchedule::default()
    }

    #[test]
    fn insightful_is_read_with_each_tenth_idle_sync_or_after_ten_minutes() {
        let seconds = Duration::from_secs;
        for (interval, since_read, is_settled, due) in [
            (900, Some(810), true, true),
            (60, Some(599), true, false),
            (60, Some(600), true, true),
            (60, Some(1), false, true),
            (60, None, true, true),
            (5, Some(49), true, false),
            (5, Some(50), true, true),
            (86_400, Some(599), true, false),
        ] {
            let schedule = SyncSchedule {
                interval: seconds(interval).into(),
                ..schedule()
            };
            assert_eq!(
                is_workforce_due(since_read.map(seconds), is_settled, &schedule),
                due,
                "{interval} s, {since_read:?}"
            );
        }
    }

    #[test]
    fn due_depends_on_the_last_reads() {
        let idle = LastReads {
            sync_requested: false,
            since_sync: Some(minutes(1)),
            retry_in: None,
            has_snapshot: true,
            since_full_sync: Some(minutes(60)),
        };
        type Change = fn(&mut LastReads);
        let cases: [(&str, Change, Due); 14] = [
            ("a decision needs no sync", |_| (), Due::Nothing),
            (
                "interval has elapsed",
                |s| s.since_sync = Some(minutes(15)),
                Due::Delta,
            ),
            (
                "interval and fullInterval have elapsed",
                |s| {
                    s.since_sync = Some(minutes(15));
                    s.since_full_sync = Some(minutes(24 * 60));
                },
                Due::Full(FullSyncReason::IntervalElapsed),
            ),
            (
                "a full sync waits for the next sync",
                |s| s.since_full_sync = Some(minutes(24 * 60)),
                Due::Nothing,
            ),
            (
                "requested",
                |s| s.sync_requested = true,
                Due::Full(FullSyncReason::Requested),
            ),
            (
                "requested while a failed read backs off",
                |s| {
                    s.sync_requested = true;
                    s.retry_in = Some(minutes(5));
                },
                Due::Full(FullSyncReason::Requested),
            ),
            (
                "a failed read backs off",
                |s| s.retry_in = Some(minutes(5)),
                Due::Backoff,
            ),
            (
                "a failed read backs off although more is due",
                |s| {
                    s.retry_in = Some(minutes(5));
                    s.since_sync = None;
                    s.since_full_sync = None;
                    s.has_snapshot = false;
                },
                Due::Backoff,
            ),
            (
                "a failed read is retried",
                |s| s.retry_in = Some(Duration::ZERO),
                Due::Full(FullSyncReason::AfterFailure),
            ),
            (
                "first read",
                |s| {
                    s.since_sync = None;
                    s.has_snapshot = false;
                    s.since_full_sync = None;
                },
                Due::Full(FullSyncReason::NoBaseline),
            ),
            (
                "restart with a recent saved directory",
                |s| {
                    s.since_sync = None;
                    s.has_snapshot = false;
                },
                Due::Delta,
            ),
            (
                "restart with an old saved directory",
                |s| {
                    s.since_sync = None;
                    s.has_snapshot = false;
                    s.since_full_sync = Some(minutes(25 * 60));
                },
                Due::Full(FullSyncReason::IntervalElapsed),
            ),
            (
                "a write with an unknown outcome",
                |s| {
                    s.since_sync = None;
                    s.since_full_sync = None;
                },
                Due::Full(FullSyncReason::NoBaseline),
            ),
            (
                "Okta sends no time to continue from",
                |s| {
                    s.since_sync = Some(minutes(15));
                    s.since_full_sync = None;
                },
                Due::Full(FullSyncReason::NoBaseline),
            ),
        ];
        for (case, change, expected) in cases {
            let mut last_reads = idle;
            change(&mut last_reads);
            assert_eq!(due(last_reads, &schedule(), UID), expected, "{case}");
        }
    }

    #[test]
    fn requeues_at_the_next_sync_or_the_first_timer() {
        let interval = interval(&schedule(), UID);
        let second = Duration::from_secs(1);
        for (since_sync, timers, expected) in [
            (Some(Duration::ZERO), &[][..], interval),
            (Some(minutes(5)), &[], interval - minutes(5)),
            (Some(minutes(5)), &[minutes(2), minutes(1)], minutes(1)),
            (Some(minutes(5)), &[minutes(60)], interval - minutes(5)),
            // A timer that has run out is ignored.
            (Some(minutes(5)), &[Duration::ZERO], interval - minutes(5)),
            // Never immediately.
            (Some(minutes(5)), &[second / 10], second),
            (Some(minutes(60)), &[], second),
            (None, &[], second),
        ] {
            let next = requeue_after(since_sync, timers.iter().copied(), &schedule(), UID);
            assert_eq!(next, expected, "{since_sync:?} {timers:?}");
        }
    }

    #[test]
    fn integrations_spread_over_the_last_tenth_of_the_interval() {
        let uids: Vec<String> = (0..200).map(|n| format!("uid-{n}")).collect();
        let mut tenths = [0; 10];
        for uid in &uids {
            let interval = interval(&schedule(), uid);
            assert!(
                minutes(15).mul_f64(0.9) <= interval && interval <= minutes(15),
                "{interval:?}"
            );
            assert_eq!(
                interval,
                super::interval(&schedule(), uid),
                "the same uid gets the same interval"
            );
            let part = 1.0 - (interval.as_secs_f64() - 810.0) / 90.0;
            tenths[((part * 10.0) as usize).min(9)] += 1;
        }
        assert!(tenths.iter().all(|count| (5..=40).contains(count)), "{tenths:?}");
    }

    #[test]
    fn a_sync_is_late_after_two_intervals_and_the_read_allowance() {
        let mut integration = OktaIntegration::new("acme", Example::new().spec);
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(since_last_sync(&integration, now), None, "never synced");
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
        assert_eq!(at(-5, 1, false), (Some(0), false), "a time in the future");
        assert_eq!(at(1000, 1, true), (None, false), "suspended");
    }
}
