use crate::error::InputError;
use std::str::FromStr;

/// One of several processes, on one machine or many, that share the runs of an experiment: the `index`-th of `of`, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// The most shards there can be; Slurm's arrays have 1,001 jobs by default.
    pub const MOST: usize = 10_000;

    /// For each of these keys of an experiment's runs, the index of its shard. Of every `of` runs that follow each other in
    /// the grid, which mostly differ in the seed and cost alike, each shard has one, by the order of their keys, which are
    /// hashes: so numbers differ by one at most, and times little. Where runs are left over, a shard that depends on the keys
    /// has the first, lest experiments of few runs all fall to the first shards.
    pub fn deal(keys: &[String], of: usize) -> Vec<usize> {
        let mut shards = vec![0; keys.len()];
        for (block, run) in keys.chunks(of).enumerate() {
            let mut order: Vec<usize> = (0..run.len()).collect();
            order.sort_by_key(|i| &run[*i]);
            let hash = |key: &str| u32::from_str_radix(key.get(..8)?, 16).ok();
            let first = if run.len() < of { hash(&run[order[0]]).unwrap_or(0) as usize % of } else { 0 };
            for (rank, i) in order.into_iter().enumerate() {
                shards[block * of + i] = (first + rank) % of;
            }
        }
        shards
    }

    /// Of each of these keys, whether its run is this shard's.
    pub fn own(self, keys: &[String]) -> Vec<bool> {
        Self::deal(keys, self.of).into_iter().map(|index| index == self.index).collect()
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = InputError;

    /// From `I/N`, I counted from 1.
    fn from_str(text: &str) -> Result<Self, InputError> {
        let number = |part: &str| part.parse::<usize>().ok();
        let parts = text.split_once('/').and_then(|(i, n)| number(i).zip(number(n)));
        let usable = parts.filter(|(i, n)| (1..=*n).contains(i) && *n <= Self::MOST);
        let (i, of) = usable.ok_or_else(|| {
            let allowed = format!("I/N with 1 ≤ I ≤ N ≤ {}", Self::MOST);
            InputError::value("--shard", text, &allowed, "For example 2/8, the second of eight.")
        })?;
        Ok(Self { index: i - 1, of })
    }
}
