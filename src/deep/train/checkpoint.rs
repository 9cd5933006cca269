use super::trainer::Trainer;
use crate::deep::model::{ModelConfig, Network};
use crate::error::{InputError, Result};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The one metadata entry, JSON of [`About`]: several would be written in an order that changes from run to run.
const ABOUT: &str = "implicit-bias";
const REMEDY: &str = "Use a file that `bnn train` has written.";

#[derive(Serialize, Deserialize)]
struct About {
    model: ModelConfig,
    picture: [usize; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<Training>,
}

/// Where a training is.
#[derive(Serialize, Deserialize)]
struct Training {
    epoch: usize,
    steps: u64,
    seed: u64,
    notes: String,
}

/// Named tensors of a file, as (name, shape, numbers).
type Tensors<'a> = Vec<(String, Vec<usize>, &'a [f32])>;

/// A network as a safetensors file: parameters and running statistics named as in PyTorch's `state_dict`, the metadata holding
/// the model's configuration.
///
/// # Errors
/// Never with a network that was built here.
pub fn save_network(network: &Network) -> Result<Vec<u8>> {
    write(tensors(network), About::of(network, None))
}

/// A network from the bytes of [`save_network`]; `place` names the file in errors.
///
/// # Errors
/// Another format, or tensors that are missing or of another shape.
pub fn load_network(bytes: &[u8], place: &str) -> Result<Network> {
    let load = || {
        let About { model, picture, .. } = About::read(bytes)?;
        let usable = picture.iter().all(|n| (1..=512).contains(n));
        let error = || InputError::value("picture", format!("{picture:?}"), "three sizes, 1 to 512", REMEDY);
        usable.then_some(()).ok_or_else(error)?;
        model.check(Some(picture))?;
        let mut network = Network::new(&model, picture, 0);
        load_state(&mut network, bytes, "")?;
        Ok(network)
    };
    load().map_err(|e: InputError| e.at(place))
}

/// Reads parameters and running statistics from a safetensors file: what PyTorch's `state_dict` of the same network holds, or a
/// part of a larger file whose names start with `prefix`.
///
/// # Errors
/// A damaged file, or tensors that are missing or of another shape.
pub fn load_state(network: &mut Network, bytes: &[u8], prefix: &str) -> Result<()> {
    let file = parse(bytes)?;
    let read = |name: &str, shape: &[usize]| numbers(&file, &format!("{prefix}{name}"), shape);
    for p in &mut network.parameters {
        p.values.storage_mut::<f32>().copy_from_slice(&read(&p.name, &p.shape)?);
    }
    for r in &mut network.running {
        let shape = [r.mean.len()];
        r.mean = read(&format!("{}.running_mean", r.name), &shape)?;
        r.variance = read(&format!("{}.running_var", r.name), &shape)?;
    }
    Ok(())
}

impl Trainer {
    /// Everything that training needs to go on, as safetensors; `notes` are kept with it.
    ///
    /// # Errors
    /// Never with a network that was built here.
    pub fn save(&self, notes: &str) -> Result<Vec<u8>> {
        let mut all = tensors(&self.network);
        for (p, state) in self.network.parameters.iter().zip(&self.optimizer.state) {
            for (k, values) in state.iter().enumerate() {
                all.push((format!("optimizer.{k}.{}", p.name), p.shape.clone(), values));
            }
        }
        let (epoch, steps, seed, notes) = (self.epoch, self.optimizer.steps, self.seed, notes.into());
        write(all, About::of(&self.network, Some(Training { epoch, steps, seed, notes })))
    }

    /// Takes over what [`Self::save`] kept, into a trainer of the same configuration; gives its notes back.
    ///
    /// # Errors
    /// A file of another training; the trainer then stays as it is.
    pub fn load(&mut self, bytes: &[u8]) -> Result<String> {
        let remedy = "Delete the file to start anew.";
        let (file, found, own) = (parse(bytes)?, About::read(bytes)?, About::of(&self.network, None));
        if found.model != own.model || found.picture != own.picture {
            let [found, own] = [found, own].map(|about| format!("{:?} for {:?}", about.model, about.picture));
            return Err(InputError::value("checkpoint.model", found, &own, remedy));
        }
        let none = || InputError::new(format!("checkpoint: a network without its training's progress. {remedy}"));
        let Training { epoch, steps, seed, notes } = found.training.ok_or_else(none)?;
        if seed != self.seed {
            return Err(InputError::value("checkpoint.seed", seed, &self.seed.to_string(), remedy));
        }
        let mut whole =
            Self { network: self.network.clone(), optimizer: self.optimizer.clone(), epoch, seed, norms: None };
        whole.optimizer.steps = steps;
        load_state(&mut whole.network, bytes, "")?;
        for (p, state) in whole.network.parameters.iter().zip(&mut whole.optimizer.state) {
            for (k, values) in state.iter_mut().enumerate() {
                *values = numbers(&file, &format!("optimizer.{k}.{}", p.name), &p.shape)?;
            }
        }
        *self = whole;
        Ok(notes)
    }
}

impl About {
    fn of(network: &Network, training: Option<Training>) -> Self {
        Self { model: network.config.clone(), picture: network.picture, training }
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let text = metadata.metadata().as_ref().and_then(|m| m.get(ABOUT)).map_or("", String::as_str);
        serde_json::from_str(text).map_err(|e| InputError::new(format!("metadata `{ABOUT}`: {e}. {REMEDY}")))
    }
}

fn tensors(network: &Network) -> Tensors<'_> {
    let parameters = network.parameters.iter().map(|p| (p.name.clone(), p.shape.clone(), p.numbers()));
    let running = network.running.iter().flat_map(|r| {
        let shape = vec![r.mean.len()];
        [
            (format!("{}.running_mean", r.name), shape.clone(), r.mean.as_slice()),
            (format!("{}.running_var", r.name), shape, r.variance.as_slice()),
        ]
    });
    parameters.chain(running).collect()
}

fn write(tensors: Tensors, about: About) -> Result<Vec<u8>> {
    let about =
        serde_json::to_string(&about).map_err(|e| InputError::new(format!("the network's description: {e}")))?;
    let metadata = HashMap::from([(ABOUT.to_owned(), about)]);
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let all: Vec<_> = tensors.into_iter().map(|(name, shape, numbers)| (name, shape, bytes(numbers))).collect();
    let views: std::result::Result<Vec<_>, String> = all
        .iter()
        .map(|(name, shape, bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name, view)))
        .map(|view| view.map_err(|e| e.to_string()))
        .collect();
    let written = views.and_then(|v| safetensors::serialize(v, Some(metadata)).map_err(|e| e.to_string()));
    written.map_err(|e| InputError::new(format!("safetensors: {e}")))
}

fn parse(bytes: &[u8]) -> Result<SafeTensors<'_>> {
    SafeTensors::deserialize(bytes).map_err(damaged)
}

fn damaged(e: SafeTensorError) -> InputError {
    InputError::new(format!("not a whole safetensors file: {e}. Export it again"))
}

/// The numbers of a tensor of f32 with a name and a shape.
fn numbers(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let tensor = file.tensor(name).map_err(|e| InputError::new(format!("tensor `{name}`: {e}. Export it again")))?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        let found = format!("{:?} {:?}", tensor.dtype(), tensor.shape());
        let allowed = format!("F32 {shape:?}");
        return Err(InputError::value(&format!("tensor `{name}`"), found, &allowed, "Use a network of this shape."));
    }
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    Ok(tensor.data().chunks_exact(4).map(number).collect())
}
