//! Insightful.
