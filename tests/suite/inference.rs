//! Networks at test time against PyTorch (tests/fixtures/inference.py) and pictures against the Python Imaging Library
//! (photograph.py); EfficientNet-Lite0 against its reference, where it has been fetched.

use crate::common::{counts, fixture, numbers, root};
use implicit_bias::data::images::Images;
use implicit_bias::data::photograph::{decode_jpeg, middle, resize};
use implicit_bias::deep::inference::{Description, Graph, Program, SiteKind};
use implicit_bias::deep::torch::{read, to_safetensors};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn bytes(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/fixtures").join(name)).unwrap()
}

fn description() -> Description {
    Description::parse(str::from_utf8(&bytes("inference.toml")).unwrap()).unwrap()
}

fn graph() -> Graph {
    description().graph(&to_safetensors(&read(&bytes("inference.pth")).unwrap()).unwrap()).unwrap()
}

fn waves(count: usize) -> Vec<f32> {
    (0..count).map(|i| (0.1 * i as f64).sin() as f32).collect()
}

fn distance(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

#[test]
fn both_formats_of_a_checkpoint_hold_the_same() {
    let (zip, legacy) = (read(&bytes("inference.pth")).unwrap(), read(&bytes("inference_legacy.pth")).unwrap());
    assert_eq!(zip, legacy);
    assert_eq!(zip.len(), 42);
}

#[test]
fn every_layer_is_pytorchs_with_and_without_folding() {
    let (facts, x) = (fixture("inference.json"), waves(2 * 3 * 21 * 30));
    let expected: Vec<f64> = facts["outputs"].as_array().unwrap().iter().flat_map(numbers).collect();
    let mut graph = graph();
    let plain = Program::new(&graph).unwrap();
    assert!(distance(&plain.run(&x).unwrap(), &expected) < 2e-5);

    graph.fold_batch_norms();
    let folded = Program::new(&graph).unwrap();
    assert!(folded.sites().len() < plain.sites().len());
    let mut seen = BTreeMap::new();
    let outputs = folded.run_with(&x, &mut |site, values| {
        assert!(values.len().is_multiple_of(2 * site.channels));
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        assert!(seen.insert(site.name.clone(), sum / values.len() as f64).is_none());
    });
    assert!(distance(&outputs.unwrap(), &expected) < 2e-5);
    for (name, mean) in facts["sites"].as_object().unwrap() {
        assert!((seen[name] - mean.as_f64().unwrap()).abs() < 1e-5, "{name}: {} for {mean}", seen[name]);
    }

    let one = rayon_pool(1).install(|| folded.run(&x).unwrap());
    assert_eq!(one, rayon_pool(2).install(|| folded.run(&x).unwrap()));
    assert!(folded.run(&x[1..]).unwrap_err().to_string().contains("a multiple of 1890"));
}

fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn what_a_hook_and_a_visitor_change_is_changed() {
    let (mut graph, x) = (graph(), waves(3 * 21 * 30));
    graph.fold_batch_norms();
    let program = Program::new(&graph).unwrap();
    // With the last sum replaced by its channel's number, that is the output.
    let mut kinds = vec![];
    let outputs = program.run_with(&x, &mut |site, values| {
        kinds.push(site.kind);
        if site.name == "head" {
            (0..values.len()).for_each(|i| values[i] = (i % site.channels) as f32);
        }
    });
    assert_eq!(outputs.unwrap(), (0..10).map(|c| c as f32).collect::<Vec<_>>());
    assert_eq!((kinds.first(), kinds.last()), (Some(&SiteKind::Input), Some(&SiteKind::Sum)));

    let mut names = vec![];
    graph.visit_weights(&mut |weights| {
        names.push((weights.name.to_owned(), weights.outputs, weights.depthwise));
        weights.values.fill(0.0);
        if let Some(bias) = weights.bias {
            bias.fill(if weights.name == "fc2" { 2.5 } else { 0.0 });
        }
    });
    assert_eq!(names[1], ("depthwise".to_owned(), 24, true));
    assert_eq!(names.len(), 8);
    assert_eq!(Program::new(&graph).unwrap().run(&x).unwrap(), [2.5; 10]);
}

#[test]
fn a_description_that_does_not_fit_says_where() {
    let file = to_safetensors(&read(&bytes("inference.pth")).unwrap()).unwrap();
    let text = String::from_utf8(bytes("inference.toml")).unwrap();
    for (from, to, words) in [
        ("outputs = 24, kernel = 3", "outputs = 25, kernel = 3", "layer 1: `stem.weight` is of shape [24, 3, 3, 3]"),
        ("kernel = 3, stride = 2, padding = \"same\"", "kernels = 3", "layer 1: unknown field `kernels`"),
        ("\"relu6\" }", "\"gelu\" }", "layer 3: unknown variant `gelu`"),
        ("\"same\"", "\"full\"", "layer 1: padding is a number, four of them"),
        ("name = \"depthwise_bn\"", "name = \"norm\"", "the tensor `norm.weight` is missing"),
        ("groups = 4", "groups = 5", "layer 7:"),
        ("padding = [1, 3, 2, 2]", "padding = [1, 5, 2, 2]", "`padding` is [1, 5, 2, 2]"),
        ("stride = 2, padding = 1 }", "stride = 0, padding = 1 }", "`stride` is 0"),
        ("kernel = [2, 3], stride = 2", "kernel = 1, stride = 2", "`shortcut` is [8, 3, 4]"),
        ("[3, 21, 30]", "[3, 21, 100000]", "`picture` is [3, 21, 100000]"),
        ("{ kind = \"relu\" },\n]", "]\nlayer = 3", "unknown field `layer`"),
        ("  { kind = \"batch-norm\", name = \"pooled_bn\" },\n", "", "no layer uses the tensor `pooled_bn.bias`"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = Description::parse(&changed).and_then(|d| d.graph(&file)).unwrap_err().to_string();
        assert!(error.contains(words), "{error} instead of {words}");
    }
    assert!(description().graph(b"nothing").unwrap_err().to_string().contains("no safetensors file"));
}

#[test]
fn a_checkpoint_executes_nothing_and_damage_is_an_error() {
    for name in ["inference.pth", "inference_legacy.pth"] {
        let whole = bytes(name);
        for length in (0..whole.len()).step_by(97) {
            assert!(read(&whole[..length]).is_err(), "{name} cut to {length}");
        }
        // Any byte may be wrong: an error or other numbers, but no panic.
        for at in 0..whole.len().min(3000) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x15;
            let _ = read(&damaged);
        }
        let needle = b"collections\nOrderedDict\n";
        let at = whole.windows(needle.len()).position(|w| w == needle).unwrap();
        let mut hostile = whole.clone();
        hostile[at..at + needle.len()].copy_from_slice(b"subprocess\ncheck_output\n");
        let error = read(&hostile).unwrap_err().to_string();
        assert!(error.contains("`subprocess.check_output`"), "{error}");
    }
}

#[test]
fn pictures_are_decoded_and_scaled_as_by_the_python_imaging_library() {
    let facts = fixture("photograph.json");
    let picture = decode_jpeg(&bytes("photograph.jpg")).unwrap();
    let decoded: Vec<u8> = counts(&facts["decoded"]).into_iter().map(|p| p as u8).collect();
    assert_eq!((picture.width, picture.height, picture.pixels.len()), (53, 37, decoded.len()));
    let apart: Vec<u8> = picture.pixels.iter().zip(&decoded).map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = apart.iter().map(|d| f64::from(*d)).sum::<f64>() / apart.len() as f64;
    assert!(mean < 0.5, "pixels differ by {mean} on average, {:?} at most", apart.iter().max());

    let exact = Images { pixels: decoded, ..picture };
    let bytes = |image: Images| image.pixels.into_iter().map(usize::from).collect::<Vec<_>>();
    assert_eq!(bytes(resize(&middle(&exact, 0.875), [16, 24])), counts(&facts["middle"]));
    assert_eq!(bytes(resize(&exact, [61, 50])), counts(&facts["enlarged"]));
    assert!(decode_jpeg(b"no picture").is_err());
}

/// EfficientNet-Lite0 as fetched, batch norms folded.
fn lite0(folder: &Path) -> (Description, Graph) {
    let checkpoint = fs::read(folder.join("efficientnet-lite0-57934424.pth")).unwrap();
    let text = fs::read_to_string(root().join("assets/networks/efficientnet-lite0.toml")).unwrap();
    let description = Description::parse(&text).unwrap();
    let mut graph = description.graph(&to_safetensors(&read(&checkpoint).unwrap()).unwrap()).unwrap();
    graph.fold_batch_norms();
    (description, graph)
}

#[test]
#[ignore = "needs data/imagenet: scripts/get-imagenet.sh"]
fn efficientnet_lite0_is_its_reference() {
    let (reference, folder) = (fixture("lite0_reference.json"), root().join("data/imagenet"));
    let (description, mut graph) = lite0(&folder);
    let program = Program::new(&graph).unwrap();
    let facts = &reference["sin_input"];
    let outputs = program.run(&waves(3 * 224 * 224)).unwrap();
    assert!(distance(&outputs[..5], &numbers(&facts["first5"])) < 1e-4);
    let sum: f64 = outputs.iter().copied().map(f64::from).sum();
    assert!((sum - facts["sum"].as_f64().unwrap()).abs() < 1e-3);
    assert!((f64::from(outputs[905]) - facts["max"].as_f64().unwrap()).abs() < 1e-4);

    let mut pictures = vec![];
    let (mut right, mut among_five) = (0, 0);
    for image in reference["images"].as_array().unwrap() {
        let file = fs::read(folder.join(image["file"].as_str().unwrap())).unwrap();
        let inputs = description.preparation().inputs(&decode_jpeg(&file).unwrap()).unwrap();
        let outputs = program.run(&inputs).unwrap();
        let label = image["label"].as_u64().unwrap() as usize;
        let order = order(&outputs);
        let top = counts(&image["top5"]);
        let found: Vec<f32> = top.iter().map(|c| outputs[*c]).collect();
        assert!(distance(&found, &numbers(&image["logits5"])) < 0.2, "{}", image["file"]);
        assert_eq!(order[0], top[0]);
        right += usize::from(order[0] == label);
        among_five += usize::from(order[..5].contains(&label));
        pictures.push((inputs, label));
    }
    assert_eq!((right, among_five), (18, 19));

    // Weights rounded to the nearest of a symmetric grid a channel: the reference's numbers.
    for (bits, expected) in [(8, 17), (6, 16), (5, 13), (4, 2)] {
        let mut rounded = graph.clone();
        rounded.visit_weights(&mut |w| {
            let top = ((1 << (bits - 1)) - 1) as f32;
            for channel in w.values.chunks_mut(w.values.len() / w.outputs) {
                let step = channel.iter().fold(0.0_f32, |m, v| m.max(v.abs())) / top;
                channel.iter_mut().for_each(|v| *v = (*v / step).round_ties_even() * step);
            }
        });
        let program = Program::new(&rounded).unwrap();
        let right = pictures.iter().filter(|(x, label)| order(&program.run(x).unwrap())[0] == *label).count();
        assert_eq!(right, expected, "{bits} bits");
    }
    let mut weights = 0;
    graph.visit_weights(&mut |w| weights += w.values.len() + w.bias.as_ref().map_or(0, Vec::len));
    assert_eq!(weights, 4_652_008 - 21_008);
}

fn order(outputs: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..outputs.len()).collect();
    order.sort_by(|a, b| outputs[*b].total_cmp(&outputs[*a]));
    order
}
