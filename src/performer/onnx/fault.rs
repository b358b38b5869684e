//! What can go wrong.

use crate::error::{Error, ErrorKind};

/// The files cannot be used: missing, broken, too large, or not what the description says.
pub(super) fn unavailable(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::PerformerUnavailable, message)
}

/// The runtime failed on what it should take.
pub(super) fn internal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Internal, message)
}
