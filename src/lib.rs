//! x
#![deny(unsafe_code)]

pub mod error;
pub mod units;

pub use error::{Error, ErrorKind, Failure, Finding, Result, Stage};
