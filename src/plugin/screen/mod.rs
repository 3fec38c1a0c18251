//! `review`: the screen. One local page of one user, which acts with that user's access to the cluster.
//!
//! Each page is made on this side; the script only saves reloading it. Decisions are staged here until they are saved.

mod bulk;
mod decisions;
mod files;
mod form;
mod lists;
mod live;
mod page;
mod person;
mod plan;
mod rows;
mod security;
mod serve;
mod watched;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Instant};

use parking_lot::Mutex;

pub use serve::{ScreenError, serve};

use super::cluster::Cluster;
use crate::review::{Company, sitting::Sitting};

/// What all requests share.
pub struct Screen {
    cluster: Cluster,
    /// The name of the integration.
    name: String,
    /// The name by which the API server knows the user.
    me: String,
    may_finalize: bool,
    /// Where decisions go instead of the cluster.
    git: Option<PathBuf>,
    access: security::Access,
    watched: watched::Watched,
    sitting: Mutex<Sitting>,
    /// Shown once, on the next page.
    notice: Mutex<Option<String>>,
    look: Mutex<Option<Look>>,
    last_request: Mutex<Instant>,
}

/// The plan as the user saw it last.
struct Look {
    at: String,
    changes: BTreeSet<String>,
}

impl Screen {
    fn touch(&self) {
        *self.last_request.lock() = Instant::now();
    }

    fn company(&self) -> Result<Arc<Company>, page::Problem> {
        self.watched.company().ok_or_else(|| {
            page::Problem::gone(format!(
                "The OktaIntegration {} was deleted, or this version cannot read it.",
                self.name
            ))
        })
    }

    fn set_notice(&self, text: String) {
        *self.notice.lock() = Some(text);
    }
}
