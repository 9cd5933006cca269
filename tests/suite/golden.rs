//! Ten steps of gradient descent and losses at extreme margins against tests/fixtures/golden_steps.json (numpy and mpmath).

use crate::common::{counts, descend, fixture, numbers, predictor, relative, signed};
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::network::{BinProduct, Convolutional, FullyConnected, Network};
use implicit_bias::linear::solver::{Status, StepRule};
use implicit_bias::math::dft::Bins;
use implicit_bias::math::rows::Rows;
use implicit_bias::math::sums::softmax;
use serde_json::Value;

fn loss(entry: &Value) -> Loss {
    match entry["loss"].as_str().unwrap() {
        "exponential" => Loss::Exponential,
        "logistic" => Loss::Logistic,
        other => panic!("{other}"),
    }
}

fn network(case: &Value) -> Box<dyn Network> {
    let (depth, shape) = (case["depth"].as_u64().unwrap() as usize, counts(&case["shape"]));
    let d = shape.iter().product();
    match case["network"].as_str().unwrap() {
        "fully_connected" => Box::new(FullyConnected::new(d, depth, case["hidden"].as_u64().unwrap() as usize)),
        "convolutional" => Box::new(Convolutional::new(&shape, depth)),
        "diagonal" => Box::new(BinProduct::new(Bins::signal(d), depth)),
        other => panic!("{other}"),
    }
}

#[test]
fn ten_steps_of_every_network() {
    let golden = fixture("golden_steps.json");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 18);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (mut network, d) = (network(case), case["d"].as_u64().unwrap() as usize);
        let mut rows = Rows::new(signed(case), d);
        let mut w = numbers(&case["w0"]);
        assert!(relative(&predictor(&mut *network, &w), &numbers(&case["beta0"])) < 1e-12, "{name}: beta0");

        let rule = StepRule::Constant { eta: case["step"].as_f64().unwrap() };
        let mut seen: Vec<(Vec<f64>, f64)> = vec![];
        let end = descend((&mut rows, &mut *network, loss(case)), &mut w, rule, 10, |state| {
            seen.push((state.parameters.to_vec(), state.log_loss()));
        });
        let (iterates, losses) = (case["iterates"].as_array().unwrap(), numbers(&case["log_losses"]));
        assert_eq!((end.status, end.steps, seen.len(), iterates.len()), (Status::MaxSteps, 10, 11, 10), "{name}");
        for (t, (at, log_loss)) in seen.iter().enumerate() {
            let wanted = if t == 0 { numbers(&case["w0"]) } else { numbers(&iterates[t - 1]) };
            let off = relative(at, &wanted);
            assert!(off < 1e-12, "{name}, step {t}: off by {off:.1e}");
            // log 𝓛 itself may pass through zero, so its error is that of 𝓛.
            assert!((log_loss - losses[t]).abs() < 1e-12, "{name}, step {t}: log loss {log_loss}, not {}", losses[t]);
        }
        assert!(relative(&predictor(&mut *network, &w), &numbers(&case["beta10"])) < 1e-12, "{name}: beta10");
    }
}

/// |a − b| in units of |b|; below one in units of one where `b` is the logarithm of a sum near one.
fn off(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / b.abs().max(1.0) }
}

#[test]
fn losses_at_extreme_margins() {
    let golden = fixture("golden_steps.json");
    let entries = golden["losses"].as_array().unwrap();
    assert_eq!(entries.len(), 30);
    for entry in entries {
        let (loss, margins, weights) = (loss(entry), numbers(&entry["margins"]), numbers(&entry["weights"]));
        let (log_loss, log_slope) = (entry["log_loss"].as_f64().unwrap(), entry["log_slope"].as_f64().unwrap());
        let place = format!("{loss:?} {margins:?}");
        let found = loss.log_loss(&margins);
        assert!(off(found, log_loss) < 1e-13, "{place}: log loss {found}, not {log_loss}");

        let logs: Vec<f64> = margins.iter().map(|&m| loss.log_slope()(m)).collect();
        for (p, wanted) in softmax(&logs).iter().zip(&weights) {
            // exp(t) errs by eps·|t|: 1e-13 for all but the weights that are all but zero, and absolutely below 1e-300.
            let allowed = 1e-13 * wanted * (1.0 - wanted.ln().max(-745.0) / 100.0) + 1e-300;
            assert!((p - wanted).abs() <= allowed, "{place}: weight {p}, not {wanted}");
        }
        // The pass over the data that every gradient step makes: β = 1 on rows that are the margins.
        let n = margins.len();
        let (mut m, mut a, mut dual) = (vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN]);
        let slope = Rows::new(margins.clone(), 1).weigh(&[1.0], loss.log_slope(), &mut m, &mut a, &mut dual);
        assert!(m == margins && off(slope, log_slope) < 1e-13, "{place}: log slope {slope}, not {log_slope}");
        let mean: f64 = weights.iter().zip(&margins).map(|(p, m)| p * m).sum();
        let scale: f64 = weights.iter().zip(&margins).map(|(p, m)| (p * m).abs()).sum();
        assert!((dual[0] - mean).abs() <= 1e-12 * scale, "{place}: dual {} not {mean}", dual[0]);
    }
}
