//! Clients that share an org and its rate limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use okta_insightful_operator::okta::{OktaClient, OktaConfig, OrgLimits, Progress};
use sandbox::company::{Company, GROUP_PREFIX};
use sandbox::okta::{Bucket, Okta, Settings};
use url::Url;

use crate::{fast_retries, short_limits};

fn quiet(_: Progress) {}

fn okta_client(okta: &Okta, percent: u8, limits: &Arc<OrgLimits>) -> OktaClient {
    let url = Url::parse(&okta.url()).unwrap();
    let mut config = OktaConfig::new(url, okta.token());
    config.allow_http_loopback = true;
    config.retry_policy = fast_retries();
    config.request_limits = short_limits();
    config.rate_limit_percent = percent;
    OktaClient::new(config).unwrap().with_limits(Arc::clone(limits))
}

#[tokio::test]
async fn two_clients_of_an_org_together_stay_within_their_share_while_others_use_the_org() {
    let mut settings = Settings {
        max_page: Some(5),
        latency: Duration::from_millis(5),
        ..Settings::default()
    };
    settings.limits.users = 20;
    settings.limits.groups = 24;
    settings.limits.token_percent = 100;
    settings.limits.window_seconds = 2;
    let okta = Okta::start_with(&Company::acme(), settings);
    let limits = Arc::new(OrgLimits::default());
    let clients = [okta_client(&okta, 50, &limits), okta_client(&okta, 25, &limits)];

    // Others use nearly half of each window.
    let done = AtomicBool::new(false);
    let others = async {
        while !done.load(Ordering::Relaxed) {
            okta.spend(Bucket::Users, 4);
            okta.spend(Bucket::Groups, 5);
            tokio::time::sleep(Duration::from_millis(1000)).await;
        }
    };
    let reads = async {
        let read = async |client: &OktaClient| {
            for _ in 0..2 {
                client.directory(GROUP_PREFIX, &quiet).await.unwrap();
            }
        };
        tokio::join!(read(&clients[0]), read(&clients[1]));
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(others, reads);

    let requests = okta.journal().entries();
    assert!(
        requests.iter().all(|request| request.status == Some(200)),
        "no 429 in {} requests",
        requests.len()
    );
    let (users, groups) = (okta.most_used(Bucket::Users).0, okta.most_used(Bucket::Groups).0);
    assert!(users <= 10 && groups <= 12, "{users} of 20, {groups} of 24");
    assert!(
        users >= 5 && groups >= 6,
        "most of the share is used: {users}, {groups}"
    );
}

#[tokio::test]
async fn each_client_stays_within_its_own_percentage_of_the_common_count() {
    let mut settings = Settings::default();
    settings.limits.users = 10;
    settings.limits.token_percent = 100;
    let okta = Okta::start(&Company::acme());
    okta.configure(|now| now.limits = settings.limits.clone());
    let limits = Arc::new(OrgLimits::default());
    let (large, small) = (okta_client(&okta, 80, &limits), okta_client(&okta, 30, &limits));
    for _ in 0..3 {
        large.users(&quiet).await.unwrap();
    }
    let refused = small.users(&quiet).await.unwrap_err();
    assert_eq!(refused.reason(), "RateLimitShareUsed");
    for _ in 3..8 {
        large.users(&quiet).await.unwrap();
    }
    let refused = large.users(&quiet).await.unwrap_err();
    assert_eq!(refused.reason(), "RateLimitShareUsed");
    assert_eq!(okta.most_used(Bucket::Users).0, 8);
}
