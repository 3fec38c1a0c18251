//! Leader election with a Lease: only the replica that holds it writes.
//!
//! The holder stops claiming the lease before it expires for the others, counted
//! from before the renewal was sent, so that a replica that was paused stops by
//! itself. Another replica's lease counts as expired when it was not renewed for
//! its whole duration by this machine's clock: clocks need not agree.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{Api, Client, api::PostParams, core::ObjectMeta};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use crate::http::cluster;

/// The time after its last renewal at which others may take the lease.
const LEASE_DURATION: Duration = Duration::from_secs(15);

/// The time after its last renewal until which the holder claims the lease.
const RENEW_DEADLINE: Duration = Duration::from_secs(12);

const RETRY_PERIOD: Duration = Duration::from_secs(3);

/// The Lease that replicas contend for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseName {
    pub namespace: String,
    pub name: String,
}

impl LeaseName {
    fn api(&self, client: &Client) -> Api<Lease> {
        Api::namespaced(client.clone(), &self.namespace)
    }
}

/// Whether this replica leads.
pub struct Leadership {
    /// None without an election.
    claim: Option<Mutex<Claim>>,
    terms: watch::Sender<Term>,
}

/// The number of an uninterrupted period of leading. Work that was begun in one term
/// must not be written in a later one of the same replica.
pub type Term = u64;

struct Claim {
    until: Instant,
    /// The current term, or the last one.
    term: Term,
}

impl Leadership {
    /// No election: this replica always leads.
    pub fn single_replica() -> Self {
        Self {
            claim: None,
            terms: watch::Sender::new(0),
        }
    }

    /// Leads only while it holds the lease; see [`Self::run`].
    pub fn elected() -> Self {
        Self {
            claim: Some(Mutex::new(Claim {
                until: Instant::now(),
                term: 0,
            })),
            terms: watch::Sender::new(0),
        }
    }

    /// The current term; None if this replica does not lead.
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

    /// Notifies of each new term.
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

    /// Acquires and renews the lease, for ever.
    pub async fn run(&self, client: &Client, lease: &LeaseName, identity: &str) {
        let leases = lease.api(client);
        let mut observed: Option<(Option<String>, Instant)> = None;
        loop {
            let sent = Instant::now();
            match self
                .try_acquire_or_renew(&leases, &lease.name, identity, &mut observed)
                .await
            {
                Ok(true) => self.claim_until(sent + RENEW_DEADLINE),
                Ok(false) => self.claim_until(sent),
                // The claim expires by itself.
                Err(error) => tracing::warn!(error = cluster::message(&error), "cannot renew the Lease"),
            }
            tokio::time::sleep(RETRY_PERIOD).await;
        }
    }

    /// Returns whether this replica holds the lease now. `observed` is the version of
    /// the lease that was last seen, and since when.
    async fn try_acquire_or_renew(
        &self,
        leases: &Api<Lease>,
        name: &str,
        identity: &str,
        observed: &mut Option<(Option<String>, Instant)>,
    ) -> Result<bool, kube::Error> {
        let Some(present) = leases.get_opt(name).await? else {
            let lease = new_lease(name, None, identity, 0);
            return acquired(leases.create(&PostParams::default(), &lease).await);
        };
        let spec = present.spec.as_ref();
        let holder = spec
            .and_then(|spec| spec.holder_identity.as_deref())
            .unwrap_or_default();
        let version = present.metadata.resource_version.clone();
        let unchanged_since = match observed {
            Some((seen, since)) if *seen == version => *since,
            _ => observed.insert((version, Instant::now())).1,
        };
        let transitions = spec.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let transitions = match holder {
            holder if holder == identity => transitions,
            "" => transitions + 1,
            _ if unchanged_since.elapsed() >= LEASE_DURATION => transitions + 1,
            _ => return Ok(false),
        };
        // Replacing fails with a conflict if another replica was faster.
        let renewed = new_lease(name, Some(&present), identity, transitions);
        acquired(leases.replace(name, &PostParams::default(), &renewed).await)
    }

    /// Releases the lease, so that another replica need not wait for it to expire.
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
            let error = cluster::message(&error);
            tracing::warn!(error, "cannot release the Lease: it expires by itself");
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

/// False on a conflict: another replica was faster.
fn acquired(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
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
    async fn a_claim_expires_by_itself_and_each_term_is_new() {
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
        assert!(
            !leadership.holds(1),
            "work of the earlier term must not be written"
        );
        assert!(Leadership::single_replica().holds(0));
    }

    #[test]
    fn a_claim_ends_before_the_lease_expires() {
        assert!(RENEW_DEADLINE + RETRY_PERIOD <= LEASE_DURATION && RETRY_PERIOD * 2 < RENEW_DEADLINE);
    }
}
