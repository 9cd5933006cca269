use crate::linear::loss::Loss;
use crate::linear::network::Network;
use crate::math::sums::softmax;

/// Where a run stands, lent to observers. β and r are in the network's coordinates.
pub struct State<'a> {
    /// Steps taken.
    pub step: u64,
    /// Parameters w.
    pub parameters: &'a [f64],
    /// β = P(w).
    pub predictor: &'a [f64],
    /// Margins mᵢ = yᵢ⟨xᵢ, β⟩.
    pub margins: &'a [f64],
    /// log |ℓ'(mᵢ)|.
    pub log_weights: &'a [f64],
    /// r = Σ pᵢ yᵢ xᵢ, the negative gradient's direction in β-space, with p the normalised |ℓ'(mᵢ)|.
    pub dual: &'a [f64],
    /// The loss that is minimised.
    pub loss: Loss,
    /// The network.
    pub network: &'a dyn Network,
    /// log of what β and the margins are divided by here to stay within the range of numbers (w by its L-th root): 0 up to q ≈ 10³⁰⁰.
    pub beyond: f64,
}

impl State<'_> {
    /// log 𝓛.
    pub fn log_loss(&self) -> f64 {
        self.loss.log_loss(self.margins) * self.beyond.exp()
    }

    /// log10 q, with 𝓛 = exp(−q); NaN while the loss is above one.
    pub fn log10_q(&self) -> f64 {
        (-self.loss.log_loss(self.margins)).log10() + self.beyond / std::f64::consts::LN_10
    }

    /// The normalised sample weights p: non-negative, summing to one.
    pub fn weights(&self) -> Vec<f64> {
        softmax(self.log_weights)
    }
}
