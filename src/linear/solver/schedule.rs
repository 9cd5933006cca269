/// The steps at which a run is observed: 0, 1, 2, … while they are dense, then spaced evenly in log t.
#[derive(Debug, Clone)]
pub struct Schedule {
    next: u64,
    ratio: f64,
}

impl Schedule {
    /// About `per_decade` observations for every factor of ten in steps.
    pub fn log_spaced(per_decade: usize) -> Self {
        Self { next: 0, ratio: 10f64.powf(1.0 / per_decade.max(1) as f64) }
    }

    /// Whether `step` is due; call with increasing steps.
    pub fn due(&mut self, step: u64) -> bool {
        let due = step >= self.next;
        if due {
            self.next = (step + 1).max((step as f64 * self.ratio).round() as u64);
        }
        due
    }
}
