//! What Insightful says when it refuses.

use std::fmt;

use serde::Deserialize;

use crate::http::{Answer, clip};

/// Longest of Insightful's texts in a message, in characters.
const LONGEST_TEXT: usize = 300;

/// What Insightful's answer said, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorBody {
    /// HTTP status.
    pub status: u16,
    /// Insightful's word for the kind of error; None if the body is not Insightful's.
    pub kind: Option<String>,
    /// Insightful's sentence, with what is wrong with which field.
    pub message: Option<String>,
    /// The fields that are wrong.
    pub fields: Vec<String>,
}

impl ErrorBody {
    pub(super) fn of(answer: &Answer) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            r#type: Option<String>,
            message: Option<String>,
            details: Vec<Detail>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Detail {
            field: Option<String>,
            message: Option<String>,
        }
        let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
        let details = body.details.iter().filter_map(|detail| detail.message.clone());
        let sentences: Vec<String> = body.message.into_iter().chain(details).collect();
        Self {
            status: answer.status.as_u16(),
            kind: body.r#type.map(|kind| clip(&kind, 40)),
            message: (!sentences.is_empty()).then(|| clip(&sentences.join(" "), LONGEST_TEXT)),
            fields: body
                .details
                .into_iter()
                .filter_map(|detail| detail.field)
                .collect(),
        }
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(kind) = &self.kind {
            write!(f, " {kind}")?;
        }
        if let Some(message) = &self.message {
            write!(f, " \"{message}\"")?;
        }
        Ok(())
    }
}
