//! The public suite of the pool, on factories of different kinds.

use std::convert::Infallible;
use std::sync::Arc;

use foundation_resources::pool::{self, Factory};
use foundation_resources::pool_conformance;

/// Workers with a destructor, checks and an end of their own.
struct Files;

impl Factory for Files {
    type Item = Box<dyn std::io::Write + Send>;
    type Error = std::io::Error;

    fn create(&self) -> Result<Self::Item, Self::Error> {
        Ok(Box::new(Vec::new()))
    }

    fn is_usable(&self, file: &mut Self::Item) -> bool {
        file.flush().is_ok()
    }

    fn retire(&self, mut file: Self::Item) {
        let _ = file.flush();
    }
}

pool_conformance!(units, || pool::from_fn(|| Ok::<_, Infallible>(())));
pool_conformance!(boxed_files, || Arc::new(Files));
