use crate::error::{InputError, Result};
use crate::math::sums::largest;
use std::ops::RangeInclusive;

/// Coarse classes made of a network's own: its answer to a question it was not trained for.
///
/// ```
/// use implicit_bias::deep::inference::{Groups, Rule};
///
/// let groups = Groups::parse("cat = [[0, 0]]\ndog = [[1, 3]]", 4)?;
/// let outputs = [1.0, 0.5, 0.6, 0.7];
/// assert_eq!(groups.names().collect::<Vec<_>>(), ["cat", "dog"]);
/// assert_eq!(groups.class(&outputs, Rule::LargestOutput), 0);
/// assert_eq!(groups.class(&outputs, Rule::TotalProbability), 1);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups(Vec<(String, Vec<RangeInclusive<usize>>)>);

/// How a coarse class scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// By the largest output among its classes.
    LargestOutput,
    /// By the sum of their softmax probabilities, which favours a group of many classes.
    TotalProbability,
}

impl Groups {
    /// Reads `name = [[first, last], …]` lines of TOML for a network of so many outputs.
    ///
    /// # Errors
    /// Other text, or a class that the network does not have.
    pub fn parse(text: &str, outputs: usize) -> Result<Self> {
        let table: toml::Table = toml::from_str(text).map_err(|e| InputError::new(e.to_string()))?;
        let group = |(name, value): (String, toml::Value)| {
            let ranges: Vec<[usize; 2]> = value.try_into().map_err(|e| InputError::new(e.to_string()).at(&name))?;
            if let Some(odd) = ranges.iter().find(|[first, last]| first > last || *last >= outputs) {
                let allowed = format!("[first, last] of 0 … {}", outputs.saturating_sub(1));
                return Err(InputError::value(&name, format!("{odd:?}"), &allowed, "Give classes of the network."));
            }
            Ok((name, ranges.iter().map(|[first, last]| *first..=*last).collect()))
        };
        table.into_iter().map(group).collect::<Result<_>>().map(Self)
    }

    /// The coarse classes in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The coarse class that scores highest, the first of several.
    pub fn class(&self, outputs: &[f32], rule: Rule) -> usize {
        let highest = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let score = |(_, ranges): &(String, Vec<RangeInclusive<usize>>)| {
            let outputs = ranges.iter().flat_map(|r| &outputs[r.clone()]);
            match rule {
                Rule::LargestOutput => outputs.copied().fold(f32::NEG_INFINITY, f32::max),
                Rule::TotalProbability => outputs.map(|o| (o - highest).exp()).sum(),
            }
        };
        largest(&self.0.iter().map(score).collect::<Vec<_>>())
    }
}
