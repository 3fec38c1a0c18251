use std::fmt;

/// The error that a service's response describes, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorBody {
    /// The HTTP status.
    pub status: u16,
    /// The service's code for the kind of error; None if the body is not the service's.
    pub code: Option<String>,
    pub message: Option<String>,
    /// The ID of the request for the service's support.
    pub request_id: Option<String>,
    /// The fields with an invalid value.
    pub fields: Vec<String>,
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, " \"{message}\"")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}
