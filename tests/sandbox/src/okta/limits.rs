//! Okta's rate limits: a bucket for each kind of endpoint, counted by the minute,
//! for the whole org and for each token.

use std::collections::HashMap;

use jiff::Timestamp;

/// The endpoints that are counted together.
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
}

/// How much the org allows.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests a window to `/users`.
    pub users: u32,
    /// Requests a window to `/users/{id}`.
    pub user: u32,
    /// Requests a window to `/groups` and `/groups/{id}/users`.
    pub groups: u32,
    /// Requests a window to `/groups/{id}`.
    pub group: u32,
    /// The share of a bucket that one token may use, in percent.
    pub token_percent: u32,
    /// The length of a window in whole seconds.
    pub window_seconds: u32,
    /// Requests that the org works on at once.
    pub concurrent: usize,
}

impl Default for Limits {
    /// Those of the example Workforce org.
    fn default() -> Self {
        Self {
            users: 600,
            user: 2000,
            groups: 500,
            group: 1000,
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
        }
    }

    pub(crate) fn token(&self, bucket: Bucket) -> u32 {
        (self.org(bucket) * self.token_percent / 100).max(1)
    }
}

/// Where a token stands in a bucket: the three headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub limit: u32,
    pub remaining: u32,
    /// UTC epoch seconds.
    pub reset: i64,
}

#[derive(Default)]
struct Window {
    ends: i64,
    org: u32,
    tokens: HashMap<String, u32>,
}

/// What was spent of each bucket in its present window, and the most that a
/// token ever spent in one.
#[derive(Default)]
pub(crate) struct Counters {
    windows: HashMap<Bucket, Window>,
    most: HashMap<Bucket, u32>,
}

impl Counters {
    /// Counts one request of a token; `Err` when the org or the token has nothing left.
    pub fn take(
        &mut self,
        limits: &Limits,
        bucket: Bucket,
        token: &str,
        now: Timestamp,
    ) -> Result<Standing, Standing> {
        let window = self.window(limits, bucket, now);
        let mine = window.tokens.entry(token.to_owned()).or_default();
        let left = limits
            .token(bucket)
            .saturating_sub(*mine)
            .min(limits.org(bucket).saturating_sub(window.org));
        let standing = Standing {
            limit: limits.token(bucket),
            remaining: left.saturating_sub(1),
            reset: window.ends,
        };
        if left == 0 {
            return Err(standing);
        }
        *mine += 1;
        let mine = *mine;
        window.org += 1;
        let most = self.most.entry(bucket).or_default();
        *most = mine.max(*most);
        Ok(standing)
    }

    /// The most requests to a bucket that one token had in one window.
    pub fn most(&self, bucket: Bucket) -> u32 {
        self.most.get(&bucket).copied().unwrap_or_default()
    }

    /// Counts requests of the org's other users.
    pub fn spend(&mut self, limits: &Limits, bucket: Bucket, count: u32, now: Timestamp) {
        let window = self.window(limits, bucket, now);
        window.org = window.org.saturating_add(count);
    }

    /// The present window, which begins with its first request and ends on a whole second.
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
