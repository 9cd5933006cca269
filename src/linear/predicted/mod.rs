//! What theory says the limit is: the regulariser, its minimum on the data, certificates and KKT residuals.

mod certificate;
mod kkt;
mod oracle;
mod regularizer;
mod second_order;

pub use certificate::certified_gap;
pub use kkt::{BridgeKkt, bridge_kkt, parameter_kkt};
pub use oracle::{Optimum, minimum_norm};
pub use regularizer::Regularizer;
pub use second_order::{SecondOrder, second_order};
