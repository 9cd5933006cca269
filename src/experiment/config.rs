//! Reading and checking the configuration of a run: only what passes here can run.

use crate::error::{InputError, Result};
use serde::de::DeserializeOwned;
use toml::Table;

/// Reads `[run]` as the configuration of a kind and checks its numbers; an error names the field.
pub(super) fn read<C: DeserializeOwned>(table: &Table, check: impl Fn(&C) -> Result<()>) -> Result<C> {
    let config = serde_path_to_error::deserialize(table.clone()).map_err(named)?;
    check(&config).map(|()| config)
}

fn named(error: serde_path_to_error::Error<toml::de::Error>) -> InputError {
    let place = match error.path().to_string().as_str() {
        "." => "run".to_owned(),
        path => format!("run.{path}"),
    };
    let message = error.inner().message().trim();
    let missing = message.strip_prefix("missing field `").and_then(|m| m.strip_suffix('`'));
    InputError::new(match missing {
        Some(field) => format!("`{place}.{field}` is missing. Add it to [run], or to [grid] if it varies"),
        None => format!("`{place}`: {message}"),
    })
}
