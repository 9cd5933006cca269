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
        Self { next: 0.0, rule: Rule::Geometric(10f64.powf(1.0 / per_decade.max(1) as f64)) }
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
                Rule::Geometric(ratio) => (position + 1.0).max((position * ratio).round()),
                Rule::Even(spacing) => ((position / spacing).floor() + 1.0) * spacing,
            };
        }
        due
    }
}
