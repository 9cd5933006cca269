use serde::{Deserialize, Serialize};

/// How much of an experiment is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Seconds: for continuous integration.
    Smoke,
    /// Minutes: the default, and what the repository's results hold.
    #[default]
    Quick,
    /// As long as the paper deserves.
    Full,
}

impl Size {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Smoke, Self::Quick, Self::Full];

    /// Its name in specs and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }
}
