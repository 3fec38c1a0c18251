//! Okta's rate limits: buckets of endpoints, limited per minute for the org and for each token or app.

use std::collections::HashMap;

use jiff::Timestamp;

/// Endpoints that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// `/users`.
    Users,
    /// `/users/{id}`.
    User,
    /// `/groups` and `/groups/{id}/users`.
    Groups,
    /// `/groups/{id}`.
    Group,
    /// `/oauth2/v1/token`.
    AccessTokens,
}

/// The org's limits: requests per window for each bucket.
#[derive(Clone, Debug)]
pub struct Limits {
    pub users: u32,
    pub user: u32,
    pub groups: u32,
    pub group: u32,
    /// Every client may use all of it.
    pub access_tokens: u32,
    /// The share of a bucket that one token may use, in percent.
    pub token_percent: u32,
    pub window_seconds: u32,
    /// The maximum number of concurrent requests.
    pub concurrent: usize,
}

impl Default for Limits {
    /// The documented limits of an example Workforce org.
    fn default() -> Self {
        Self {
            users: 600,
            user: 2000,
            groups: 500,
            group: 1000,
            access_tokens: 150,
            token_percent: 50,
            window_seconds: 60,
            concurrent: 75,
        }
    }
}

impl Limits {
    pub(crate) fn org(&self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::Users => self.users,
            Bucket::User => self.user,
            Bucket::Groups => self.groups,
            Bucket::Group => self.group,
            Bucket::AccessTokens => self.access_tokens,
        }
    }

    pub(crate) fn token(&self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::AccessTokens => self.access_tokens,
            _ => (self.org(bucket) * self.token_percent / 100).max(1),
        }
    }
}

/// The values of the three rate limit headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub limit: u32,
    pub remaining: u32,
    /// Epoch seconds.
    pub reset: i64,
}

#[derive(Default)]
struct Window {
    ends: i64,
    org: u32,
    tokens: HashMap<String, u32>,
}

/// The requests in the current window of each bucket, and the maximum that a token made in any window.
#[derive(Default)]
pub(crate) struct Counters {
    windows: HashMap<Bucket, Window>,
    most: HashMap<Bucket, u32>,
}

impl Counters {
    /// What a token has left, without counting a request.
    pub fn look(&mut self, limits: &Limits, bucket: Bucket, token: &str, now: Timestamp) -> Standing {
        let window = self.window(limits, bucket, now);
        let mine = window.tokens.get(token).copied().unwrap_or_default();
        Standing {
            limit: limits.token(bucket),
            remaining: limits
                .token(bucket)
                .saturating_sub(mine)
                .min(limits.org(bucket).saturating_sub(window.org)),
            reset: window.ends,
        }
    }

    /// Counts a request of a token. `Err` if the limit of the org or the token is exceeded.
    pub fn take(
        &mut self,
        limits: &Limits,
        bucket: Bucket,
        token: &str,
        now: Timestamp,
    ) -> Result<Standing, Standing> {
        let mut standing = self.look(limits, bucket, token, now);
        if standing.remaining == 0 {
            return Err(standing);
        }
        standing.remaining -= 1;
        let window = self.window(limits, bucket, now);
        let mine = window.tokens.entry(token.to_owned()).or_default();
        *mine += 1;
        let mine = *mine;
        window.org += 1;
        let most = self.most.entry(bucket).or_default();
        *most = mine.max(*most);
        Ok(standing)
    }

    /// The maximum number of requests that a token made to a bucket in one window.
    pub fn most(&self, bucket: Bucket) -> u32 {
        self.most.get(&bucket).copied().unwrap_or_default()
    }

    /// Counts requests of the org's other users.
    pub fn spend(&mut self, limits: &Limits, bucket: Bucket, count: u32, now: Timestamp) {
        let window = self.window(limits, bucket, now);
        window.org = window.org.saturating_add(count);
    }

    /// The current window. It begins with its first request and ends on a whole second.
    fn window(&mut self, limits: &Limits, bucket: Bucket, now: Timestamp) -> &mut Window {
        let window = self.windows.entry(bucket).or_default();
        if window.ends <= now.as_second() {
            *window = Window {
                ends: now.as_second() + i64::from(limits.window_seconds),
                ..Window::default()
            };
        }
        window
    }
}
