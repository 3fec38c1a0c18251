//! Which replica may write: the one that holds the Lease.
//!
//! A replica believes in its leadership for less long than the others respect
//! it, counted from before it asked, so that one that was paused stops by
//! itself. Whether another's lease has run out is told by this machine's clock
//! alone: it has not been renewed for its whole duration while we watched.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{Api, Client, api::PostParams, core::ObjectMeta};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

/// How long others respect a lease that is not renewed.
const LEASE_DURATION: Duration = Duration::from_secs(15);

/// How long its holder believes in it without renewing it.
const RENEW_DEADLINE: Duration = Duration::from_secs(12);

/// How often it is renewed, or looked at.
const RETRY_PERIOD: Duration = Duration::from_secs(3);

/// The Lease that replicas contend for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl LeaseName {
    fn api(&self, client: &Client) -> Api<Lease> {
        Api::namespaced(client.clone(), &self.namespace)
    }
}

/// Whether this replica leads.
pub struct Leadership {
    /// None where there is no election and this is the only replica.
    claim: Option<Mutex<Claim>>,
    terms: watch::Sender<Term>,
}

/// A time of leading without a break; counted, so that what began in one can tell
/// that it is over even where this replica leads anew.
pub type Term = u64;

struct Claim {
    until: Instant,
    /// The present term, or the last one.
    term: Term,
}

impl Leadership {
    /// The only replica there is.
    pub fn single_replica() -> Self {
        Self {
            claim: None,
            terms: watch::Sender::new(0),
        }
    }

    /// One of several; none leads yet.
    pub fn elected() -> Self {
        Self {
            claim: Some(Mutex::new(Claim {
                until: Instant::now(),
                term: 0,
            })),
            terms: watch::Sender::new(0),
        }
    }

    /// The term in which this replica leads; None if it does not lead now.
    pub fn term(&self) -> Option<Term> {
        let Some(claim) = &self.claim else {
            return Some(0);
        };
        let claim = claim.lock();
        (Instant::now() < claim.until).then_some(claim.term)
    }

    /// Whether this replica may write what was begun in this term.
    pub fn holds(&self, term: Term) -> bool {
        self.term() == Some(term)
    }

    /// Tells of each new term.
    pub fn subscribe(&self) -> watch::Receiver<Term> {
        self.terms.subscribe()
    }

    fn claim_until(&self, instant: Instant) {
        let Some(claim) = &self.claim else { return };
        let mut claim = claim.lock();
        let now = Instant::now();
        let led = now < claim.until;
        claim.until = instant;
        if !led && now < instant {
            claim.term += 1;
            self.terms.send_replace(claim.term);
        }
    }

    /// Seeks the lease and keeps it, for ever.
    pub async fn run(&self, client: &Client, lease: &LeaseName, identity: &str) {
        let leases = lease.api(client);
        let mut watched: Option<(Option<String>, Instant)> = None;
        loop {
            let asked = Instant::now();
            match self
                .try_acquire_or_renew(&leases, &lease.name, identity, &mut watched)
                .await
            {
                Ok(true) => self.claim_until(asked + RENEW_DEADLINE),
                Ok(false) => self.claim_until(asked),
                // What is believed runs out by itself; a conflict is another's renewal.
                Err(error) => tracing::warn!(%error, "the Lease could not be renewed"),
            }
            tokio::time::sleep(RETRY_PERIOD).await;
        }
    }

    /// One look at the lease. Gives whether it is ours now.
    async fn try_acquire_or_renew(
        &self,
        leases: &Api<Lease>,
        name: &str,
        identity: &str,
        watched: &mut Option<(Option<String>, Instant)>,
    ) -> Result<bool, kube::Error> {
        let Some(present) = leases.get_opt(name).await? else {
            let lease = new_lease(name, None, identity, 0);
            return swallow_conflict(leases.create(&PostParams::default(), &lease).await);
        };
        let spec = present.spec.as_ref();
        let holder = spec
            .and_then(|spec| spec.holder_identity.as_deref())
            .unwrap_or_default();
        let version = present.metadata.resource_version.clone();
        let unchanged_since = match watched {
            Some((seen, since)) if *seen == version => *since,
            _ => watched.insert((version, Instant::now())).1,
        };
        let transitions = spec.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let transitions = match holder {
            holder if holder == identity => transitions,
            "" => transitions + 1,
            _ if unchanged_since.elapsed() >= LEASE_DURATION => transitions + 1,
            _ => return Ok(false),
        };
        // The version makes sure that nobody else took it since we looked.
        let renewed = new_lease(name, Some(&present), identity, transitions);
        swallow_conflict(leases.replace(name, &PostParams::default(), &renewed).await)
    }

    /// Gives the lease up, so that another need not wait for it to run out.
    pub async fn release(&self, client: &Client, lease: &LeaseName, identity: &str) {
        if self.claim.is_none() || self.term().is_none() {
            return;
        }
        self.claim_until(Instant::now());
        let leases = lease.api(client);
        let released = async {
            let mut present = leases.get(&lease.name).await?;
            let spec = present.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(identity) {
                spec.holder_identity = Some(String::new());
                leases
                    .replace(&lease.name, &PostParams::default(), &present)
                    .await?;
            }
            Ok::<(), kube::Error>(())
        };
        if let Err(error) = released.await {
            tracing::warn!(%error, "the Lease could not be given up; it runs out by itself");
        }
    }
}

fn new_lease(name: &str, present: Option<&Lease>, identity: &str, transitions: i32) -> Lease {
    let now = MicroTime(Timestamp::now());
    let before = present.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let is_same = before.holder_identity.as_deref() == Some(identity);
    Lease {
        metadata: present.map_or_else(
            || ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            |lease| lease.metadata.clone(),
        ),
        spec: Some(LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: if is_same {
                before.acquire_time
            } else {
                Some(now.clone())
            },
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }),
    }
}

/// Ours if it was written; another's if somebody was faster.
fn swallow_conflict(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn belief_runs_out_by_itself_and_each_term_is_another() {
        let leadership = Leadership::elected();
        let terms = leadership.subscribe();
        assert_eq!(leadership.term(), None);
        leadership.claim_until(Instant::now() + RENEW_DEADLINE);
        leadership.claim_until(Instant::now() + RENEW_DEADLINE);
        assert!(leadership.holds(1));
        assert_eq!(*terms.borrow(), 1);
        tokio::time::advance(RENEW_DEADLINE).await;
        assert_eq!(leadership.term(), None);
        leadership.claim_until(Instant::now() + RENEW_DEADLINE);
        assert_eq!(*terms.borrow(), 2);
        assert!(leadership.holds(2));
        assert!(!leadership.holds(1), "what was begun before is not to be written");
        assert!(Leadership::single_replica().holds(0));
    }

    #[test]
    fn the_holder_believes_less_long_than_others_respect() {
        assert!(RENEW_DEADLINE + RETRY_PERIOD <= LEASE_DURATION && RETRY_PERIOD * 2 < RENEW_DEADLINE);
    }
}
