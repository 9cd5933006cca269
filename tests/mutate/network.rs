//! Networks and pictures, through the readers that other people's files go through.

use crate::harness::{Case, Seed};
use implicit_bias::data::photograph::decode_jpeg;
use implicit_bias::deep::inference::Description;
use implicit_bias::deep::kernel::Instructions;
use implicit_bias::deep::packed::{Affine, Connection, PackedNetwork, TrainedLayer};
use implicit_bias::deep::torch;
use std::fs;
use std::path::Path;

/// PyTorch checkpoints of both formats, a photograph, a description of a network, a packed network without its hash.
pub fn corpus() -> Vec<Seed> {
    let fixture =
        |name: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
    let weights: Vec<f32> = (0..9 * 4).map(|k| (k as f32).sin()).collect();
    let affine = |n: usize| Affine { scale: vec![0.5; n], mean: vec![1.0; n], shift: vec![-0.25; n] };
    let convolution = Connection::Convolution { kernel: 3, padding: 1, pool: 2 };
    let layers = [
        TrainedLayer { connection: convolution, outputs: 4, weight: &weights, affine: affine(4) },
        TrainedLayer { connection: Connection::Dense, outputs: 2, weight: &weights[..32], affine: affine(2) },
    ];
    let mut packed = PackedNetwork::new([1, 4, 4], &layers).unwrap().to_bytes();
    packed.truncate(packed.len() - 32);
    vec![
        ("pth", fixture("inference.pth")),
        ("pth", fixture("inference_legacy.pth")),
        ("jpg", fixture("photograph.jpg")),
        ("toml", fixture("inference.toml")),
        ("bits", packed),
    ]
}

pub fn check(case: &Case) -> bool {
    match case.kind {
        "pth" => torch::read(&case.bytes).is_ok(),
        "jpg" => decode_jpeg(&case.bytes).is_ok_and(|i| !i.pixels.is_empty()),
        "toml" => str::from_utf8(&case.bytes).is_ok_and(|text| Description::parse(text).is_ok()),
        _ => {
            // A whole hash over hostile content: an error, or a network that runs.
            let whole = [&case.bytes, &blake3::hash(&case.bytes).as_bytes()[..]].concat();
            PackedNetwork::from_bytes(&whole).is_ok_and(|network| {
                let pixels = vec![9; network.picture().iter().product()];
                pixels.len() > 1 << 20 || network.scores(Instructions::best(), &pixels).is_ok_and(|s| !s.is_empty())
            })
        }
    }
}
