//! Options that several commands have.

use crate::experiment::Size;
use clap::Args;
use std::path::{Path, PathBuf};

/// How much is run.
#[derive(Args, Clone, Copy)]
pub struct SizeArguments {
    /// Seconds, for a first look and for continuous integration
    #[arg(long, group = "size")]
    smoke: bool,
    /// Minutes (the default)
    #[arg(long, group = "size")]
    quick: bool,
    /// As long as the paper deserves
    #[arg(long, group = "size")]
    full: bool,
}

impl SizeArguments {
    pub fn size(self) -> Size {
        match self {
            Self { smoke: true, .. } => Size::Smoke,
            Self { full: true, .. } => Size::Full,
            _ => Size::Quick,
        }
    }
}

/// Where experiments are read.
#[derive(Args, Clone)]
pub struct CatalogueArguments {
    /// Folder of experiments (<paper>/<slug>.toml) [default: ./experiments if it is there, else those built in]
    #[arg(long, value_name = "DIR")]
    experiments: Option<PathBuf>,
}

impl CatalogueArguments {
    /// The folder, if one was named.
    pub fn given(&self) -> Option<&Path> {
        self.experiments.as_deref()
    }

    pub fn folder(&self) -> Option<PathBuf> {
        let here = PathBuf::from("experiments");
        self.experiments.clone().or_else(|| here.is_dir().then_some(here))
    }
}
