/// The positions (steps, or log10 q) at which a run is observed.
#[derive(Debug, Clone)]
pub struct Schedule {
    next: f64,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    Geometric(f64),
    Even(f64),
}

impl Schedule {
    /// Steps 0, 1, 2, … while they are dense, then about `per_decade` for every factor of ten.
    pub fn log_spaced(per_decade: usize) -> Self {
        Self { next: 0.0, rule: Rule::Geometric(per_decade.max(1) as f64) }
    }

    /// Every `spacing`, from wherever the run starts.
    pub fn even(spacing: f64) -> Self {
        Self { next: f64::NEG_INFINITY, rule: Rule::Even(spacing) }
    }

    /// Whether `position` is due; call with increasing positions.
    pub fn due(&mut self, position: f64) -> bool {
        let due = position >= self.next;
        if due {
            self.next = match self.rule {
                Rule::Geometric(per_decade) => {
                    // The next of the numbers 10^(k/per_decade), rounded, that is not past.
                    let k = (position.max(1.0).log10() * per_decade).floor();
                    let ahead = (0..).map(|j| 10f64.powf((k + j as f64) / per_decade).round());
                    ahead.take(3 + per_decade as usize).find(|n| *n > position).unwrap_or(position + 1.0)
                }
                Rule::Even(spacing) => ((position / spacing).floor() + 1.0) * spacing,
            };
        }
        due
    }
}
