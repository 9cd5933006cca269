//! The packed engine against the same network written out in f32, and its files.

use implicit_bias::deep::kernel::Instructions;
use implicit_bias::deep::packed::{Affine, Connection, PackedNetwork, TrainedLayer};
use implicit_bias::math::random::Stream;

/// A layer with its own weights.
struct Drawn {
    connection: Connection,
    outputs: usize,
    weight: Vec<f32>,
    affine: Affine,
}

const CONVOLUTION: Connection = Connection::Convolution { kernel: 3, padding: 1, pool: 2 };

impl Drawn {
    /// Scales of both signs and 0; means that are integers for half of the channels, with shift 0, so that sums tie.
    fn new(stream: &mut Stream, connection: Connection, inputs: usize, outputs: usize) -> Self {
        let taps = if let Connection::Convolution { kernel, .. } = connection { kernel * kernel } else { 1 } * inputs;
        let spread = (taps as f64).sqrt();
        let weight = (0..outputs * taps).map(|_| stream.normal() as f32).collect();
        let tie = |c: usize| c.is_multiple_of(2);
        let scale = (0..outputs).map(|c| if c % 7 == 3 { 0.0 } else { stream.normal() as f32 }).collect();
        let mean = (0..outputs).map(|c| spread * stream.normal() / if tie(c) { 4.0 } else { 1.0 });
        let mean = mean.enumerate().map(|(c, m)| if tie(c) { m.round() as f32 } else { m as f32 }).collect();
        let shift = (0..outputs).map(|c| if tie(c) { 0.0 } else { stream.normal() as f32 }).collect();
        Self { connection, outputs, weight, affine: Affine { scale, mean, shift } }
    }

    fn trained(&self) -> TrainedLayer<'_> {
        let Self { connection, outputs, weight, affine } = self;
        TrainedLayer { connection: *connection, outputs: *outputs, weight, affine: affine.clone() }
    }
}

fn sign(x: f32) -> f32 {
    if x >= 0.0 { 1.0 } else { -1.0 }
}

/// One picture x (channel, row, column) through a layer, by the definitions, in f32.
fn written_out(layer: &Drawn, x: &[f32], [c, h, w]: [usize; 3]) -> (Vec<f32>, [usize; 3]) {
    let dense = (h.max(w), 0, 1);
    let (k, padding, pool) = match layer.connection {
        Connection::Dense => dense,
        Connection::Convolution { kernel, padding, pool } => (kernel, padding, pool),
    };
    let (kh, kw) = if layer.connection == Connection::Dense { (h, w) } else { (k, k) };
    let (oh, ow) = ((h + 2 * padding + 1 - kh) / pool, (w + 2 * padding + 1 - kw) / pool);
    let sum = |f: usize, y: usize, column: usize| {
        let mut sum = 0.0_f32;
        for (at, weight) in layer.weight[f * c * kh * kw..][..c * kh * kw].iter().enumerate() {
            let (channel, y, column) = (at / (kh * kw), y + at / kw % kh, column + at % kw);
            if (padding..padding + h).contains(&y) && (padding..padding + w).contains(&column) {
                sum += sign(*weight) * x[(channel * h + y - padding) * w + column - padding];
            }
        }
        sum
    };
    let mut out = vec![];
    for f in 0..layer.outputs {
        for at in 0..oh * ow {
            let places = (0..pool * pool).map(|p| (at / ow * pool + p / pool, at % ow * pool + p % pool));
            let largest = places.map(|(y, column)| sum(f, y, column)).fold(f32::NEG_INFINITY, f32::max);
            out.push(layer.affine.scale[f] * (largest - layer.affine.mean[f]) + layer.affine.shift[f]);
        }
    }
    (out, [layer.outputs, oh, ow])
}

fn pixels(stream: &mut Stream, count: usize) -> Vec<u8> {
    (0..count).map(|_| (256.0 * stream.uniform()) as u8).collect()
}

/// Networks of every kind of layer, on two and five pictures.
fn networks() -> Vec<([usize; 3], Vec<Drawn>)> {
    let mut stream = Stream::new(5, &["packed"]);
    let mut draw = |connection, inputs, outputs| Drawn::new(&mut stream, connection, inputs, outputs);
    let unpooled = Connection::Convolution { kernel: 5, padding: 0, pool: 1 };
    let mlp = vec![draw(Connection::Dense, 70, 37), draw(Connection::Dense, 37, 64), draw(Connection::Dense, 64, 10)];
    let colour = vec![draw(CONVOLUTION, 3, 33), draw(CONVOLUTION, 33, 64), draw(Connection::Dense, 64 * 6, 10)];
    let lenet = vec![draw(unpooled, 1, 6), draw(CONVOLUTION, 6, 16), draw(Connection::Dense, 16 * 9, 5)];
    vec![
        ([1, 7, 10], mlp),
        ([3, 8, 12], colour),
        ([1, 10, 10], lenet),
        ([2, 3, 3], vec![draw(Connection::Dense, 18, 4)]),
    ]
}

fn pack(picture: [usize; 3], layers: &[Drawn]) -> PackedNetwork {
    PackedNetwork::new(picture, &layers.iter().map(Drawn::trained).collect::<Vec<_>>()).unwrap()
}

#[test]
fn scores_are_those_of_the_network_in_f32() {
    let mut stream = Stream::new(6, &["pictures"]);
    for (picture, layers) in networks() {
        let (network, size) = (pack(picture, &layers), picture.iter().product());
        let pixels = pixels(&mut stream, 5 * size);
        let mut expected = vec![];
        for p in pixels.chunks(size) {
            let (mut x, mut shape): (Vec<f32>, _) = (p.iter().map(|p| 2.0 * f32::from(*p) - 255.0).collect(), picture);
            for (i, layer) in layers.iter().enumerate() {
                (x, shape) = written_out(layer, &x, shape);
                if i + 1 < layers.len() {
                    x.iter_mut().for_each(|x| *x = sign(*x));
                }
            }
            expected.extend(x);
        }
        for with in Instructions::available() {
            assert!(network.scores(with, &pixels).unwrap() == expected, "{picture:?} on {}", with.name());
        }
        assert!(network.scores(Instructions::best(), &pixels[1..]).is_err() || size == 1);
    }
}

#[test]
fn thresholds_are_the_signs_of_the_very_f32_expression() {
    let mut stream = Stream::new(7, &["threshold"]);
    let special = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e-30, -1e30, f32::MIN_POSITIVE, f32::INFINITY, f32::NAN];
    let triples = special.iter().flat_map(|s| special.map(|m| (*s, m))).flat_map(|(s, m)| special.map(|b| (s, m, b)));
    let random =
        std::iter::repeat_with(|| (stream.normal() as f32, 40.0 * stream.normal() as f32, stream.normal() as f32));
    for (scale, mean, shift) in triples.chain(random.take(1000)) {
        let affine = Affine { scale: vec![scale], mean: vec![mean], shift: vec![shift] };
        let (threshold, flip) = affine.threshold(0, 150);
        for sum in -150..=150 {
            let positive = scale * (sum as f32 - mean) + shift >= 0.0;
            assert_eq!((sum >= threshold) ^ flip, positive, "{scale} · ({sum} − {mean}) + {shift}");
        }
    }
}

#[test]
fn a_file_gives_the_same_network_back() {
    let mut stream = Stream::new(8, &["pictures"]);
    for (picture, layers) in networks() {
        let network = pack(picture, &layers);
        let bytes = network.to_bytes();
        let again = PackedNetwork::from_bytes(&bytes).unwrap();
        let pixels = pixels(&mut stream, 3 * picture.iter().product::<usize>());
        let with = Instructions::best();
        assert_eq!(again.to_bytes(), bytes);
        assert_eq!(again.scores(with, &pixels), network.scores(with, &pixels));
    }
}

#[test]
fn damaged_files_are_errors_and_never_panic() {
    let mut stream = Stream::new(9, &["damage"]);
    for (picture, layers) in networks() {
        let bytes = pack(picture, &layers).to_bytes();
        for cut in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
            assert!(PackedNetwork::from_bytes(&bytes[..cut]).is_err());
        }
        for round in 0..300 {
            let mut changed = bytes[..bytes.len() - 32].to_vec();
            // half of the changes hit the header, some numbers become huge
            let end = if round % 2 == 0 { 48 } else { changed.len() };
            let at = (stream.uniform() * end as f64) as usize;
            changed[at] = if round % 3 == 0 { 0xFF } else { changed[at] ^ 1 << (round % 8) };
            let with_old_hash = [&changed, &bytes[bytes.len() - 32..]].concat();
            assert!(with_old_hash == bytes || PackedNetwork::from_bytes(&with_old_hash).is_err());
            // a whole checksum over hostile content: an error, or a network that runs
            let hostile = [&changed[..], blake3::hash(&changed).as_bytes()].concat();
            if let Ok(network) = PackedNetwork::from_bytes(&hostile) {
                let size = network.picture().iter().product::<usize>();
                let scores = network.scores(Instructions::best(), &vec![9; size]).unwrap();
                assert_eq!(scores.len(), network.classes());
            }
        }
    }
}

#[test]
fn bits_of_channels_that_a_file_does_not_have_are_refused() {
    let (picture, layers) = &networks()[1];
    let mut bytes = pack(*picture, layers).to_bytes();
    // after the header, the first layer: sizes, 33 filters of 27 signs in a word each, 33 thresholds, two words of flips
    bytes[28 + 16 + 33 * 8 + 33 * 4 + 7] = 0x80;
    bytes.truncate(bytes.len() - 32);
    let hash = blake3::hash(&bytes);
    let error = PackedNetwork::from_bytes(&[&bytes[..], hash.as_bytes()].concat()).unwrap_err();
    assert!(error.to_string().starts_with("layer 1") && error.to_string().contains("does not have"), "{error}");
}

#[test]
fn layers_that_do_not_fit_are_refused_by_name() {
    let (_, layers) = &networks()[1];
    let trained: Vec<_> = layers.iter().map(Drawn::trained).collect();
    let message = |picture, layers: &[TrainedLayer]| PackedNetwork::new(picture, layers).unwrap_err().to_string();
    assert!(message([3, 8, 8], &trained).starts_with("layer 3: `weights`"), "{}", message([3, 8, 8], &trained));
    assert!(message([3, 1, 8], &trained).contains("large enough"));
    assert!(message([0, 8, 8], &trained).contains("`picture`"));
    assert!(message([3, 8, 8], &[]).contains("without layers"));
}

#[cfg(feature = "deep")]
mod trained {
    use super::*;
    use crate::program::program;
    use implicit_bias::deep::model::{
        Activation, Architecture, ModelConfig, Network, Normalization, Parameter, Role, Weights,
    };

    /// A binary network whose weights, scales, shifts and running statistics are all drawn.
    fn network(architecture: Architecture, normalization: Normalization, picture: [usize; 3]) -> Network {
        let config = ModelConfig {
            weights: Weights::Binary,
            activation: Activation::Sign,
            normalization,
            normalize_output: true,
            eps: 1e-4,
            ..ModelConfig::new(architecture)
        };
        let mut stream = Stream::new(10, &["trained"]);
        let mut network = Network::new(&config, picture, 3);
        for p in network.parameters.iter_mut().filter(|p| p.role == Role::Other) {
            let values = p.numbers().iter().map(|_| stream.normal() as f32).collect();
            *p = Parameter::new(p.name.clone(), p.role, p.shape.clone(), values);
        }
        for running in &mut network.running {
            running.mean.iter_mut().for_each(|m| *m = (10.0 * stream.normal()) as f32);
            running.variance.iter_mut().for_each(|v| *v = (100.0 * stream.uniform()) as f32);
        }
        network
    }

    #[test]
    fn a_trained_network_and_its_bits_give_the_same_scores() {
        let mut stream = Stream::new(11, &["pictures"]);
        let mlp = || Architecture::Mlp { hidden: vec![70, 33] };
        let lenet = || Architecture::Lenet { channels: [3, 7], hidden: 20 };
        for (architecture, normalization, picture) in [
            (mlp(), Normalization::Batch, [3, 6, 7]),
            (mlp(), Normalization::ShiftBatch, [1, 28, 28]),
            (mlp(), Normalization::None, [1, 8, 8]),
            (lenet(), Normalization::Batch, [1, 28, 28]),
            (lenet(), Normalization::None, [3, 16, 20]),
            (Architecture::VggSmall { width: 5 }, Normalization::ShiftBatch, [3, 11, 9]),
            (Architecture::VggSmall { width: 32 }, Normalization::Batch, [1, 8, 8]),
        ] {
            let network = network(architecture, normalization, picture);
            let packed = PackedNetwork::from_network(&network).unwrap();
            let pixels = pixels(&mut stream, 20 * picture.iter().product::<usize>());
            let expected = network.predict(network.inputs(&pixels));
            assert!(packed.scores(Instructions::best(), &pixels).unwrap() == expected, "{:?}", network.config);
        }
    }

    #[test]
    fn other_networks_are_refused() {
        let refused = |change: fn(&mut ModelConfig)| {
            let mut config = network(Architecture::Mlp { hidden: vec![4] }, Normalization::Batch, [1, 16, 16]).config;
            change(&mut config);
            PackedNetwork::from_network(&Network::new(&config, [1, 16, 16], 0)).unwrap_err().to_string()
        };
        assert!(refused(|c| c.weights = Weights::Real).contains("`model.weights` is real"));
        assert!(refused(|c| c.activation = Activation::Relu).contains("`model.activation` is relu"));
        assert!(refused(|c| c.network = Architecture::Resnet { depth: 8, width: 4 }).contains("`layer` is"));
    }

    #[test]
    fn train_export_run_and_bench_from_the_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &str| program(folder.path(), &arguments.split(' ').collect::<Vec<_>>());
        let ok = |arguments: &str| {
            let (code, out, err) = run(arguments);
            assert_eq!(code, 0, "{arguments}: {out} {err}");
            out
        };
        ok("bnn train net.safetensors --data digits8x8 --hidden 64,64 --epochs 1");
        assert!(ok("bnn export net.safetensors net.bnn").contains("× smaller"));
        let json = ok("bnn run net.bnn --data digits8x8 --against net.safetensors --json");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(json["pictures"] == 597 && json["agreeing"] == 597, "{json}");
        assert!(ok("bnn run net.bnn --data digits8x8 --limit 10").contains("of 10)"));

        let (code, _, err) = run("bnn run net.bnn");
        assert!(code == 2 && err.contains("[1, 28, 28], but must be [1, 8, 8]"), "{err}");
        let (code, _, err) = run("bnn run net.safetensors --data digits8x8");
        assert!(code == 2 && err.contains("no packed network"), "{err}");

        let json = ok("bench xnor --m 20 --n 40 --k 70 --seconds 0.01 --mlp 1 --json");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["results"][0]["methods"][2]["method"], "XNOR");
        let (code, _, err) = run("bench xnor --k 0");
        assert!(code == 2 && err.contains("`k` is 0"), "{err}");
    }
}
