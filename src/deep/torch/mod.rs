//! Checkpoints that PyTorch has written: a state dict of dense tensors, read by our own code, which executes nothing.
//!
//! Two formats: the one since PyTorch 1.6 (a ZIP archive of stored entries) and the legacy one (pickles one after the other,
//! then the numbers). `pickle` knows the few opcodes and names that state dicts consist of and refuses all else.

mod archive;
mod legacy;
mod node;
mod pickle;

use crate::error::{InputError, Result};
use node::{Node, Nodes, Storage};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::{HashMap, HashSet};

/// A tensor: its name, kind, shape and little-endian bytes in row-major order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// As in the state dict.
    pub name: String,
    /// What kind of numbers.
    pub dtype: Dtype,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// The numbers.
    pub bytes: Vec<u8>,
}

/// The tensors of a checkpoint, in its order.
///
/// # Errors
/// Bytes that are no checkpoint, or one that holds anything but a dict of dense tensors by name, or whose tensors reach outside
/// the numbers stored. The tensors may not take more than four times the file, which bounds the memory.
///
/// ```
/// let error = implicit_bias::deep::torch::read(b"cos\nsystem\n(S'ls'\ntR.").unwrap_err();
/// assert!(error.to_string().contains("no PyTorch checkpoint"));
/// ```
pub fn read(file: &[u8]) -> Result<Vec<Tensor>> {
    let (nodes, root, storages) = if archive::is_one(file) { archive::read(file)? } else { legacy::read(file)? };
    let mut budget = file.len().saturating_mul(4);
    let mut names = HashSet::new();
    let mut tensors = vec![];
    for (name, value) in nodes.state_dict(root)? {
        let tensor = tensor(&nodes, &storages, name, value, &mut budget).map_err(|e| e.at(format!("`{name}`")))?;
        if !names.insert(name) {
            return Err(damaged(&format!("`{name}` is there twice")));
        }
        tensors.push(tensor);
    }
    Ok(tensors)
}

/// The tensors as a safetensors file.
///
/// # Errors
/// Never with tensors from [`read`].
pub fn to_safetensors(tensors: &[Tensor]) -> Result<Vec<u8>> {
    let bad = |e| InputError::new(format!("these tensors cannot be written: {e}"));
    let mut views = Vec::with_capacity(tensors.len());
    for t in tensors {
        views.push((&t.name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes).map_err(bad)?));
    }
    safetensors::serialize(views, None).map_err(bad)
}

fn tensor(
    nodes: &Nodes,
    storages: &HashMap<String, &[u8]>,
    name: &str,
    value: usize,
    budget: &mut usize,
) -> Result<Tensor> {
    let Node::Tensor { storage, offset, shape, strides } = nodes.node(value) else {
        return Err(InputError::new("is no tensor. Save the state dict alone: torch.save(model.state_dict(), …)."));
    };
    let Node::Storage(Storage { dtype, key, count }) = nodes.node(*storage) else {
        return Err(damaged("a tensor has no storage"));
    };
    let width = dtype.bitsize() / 8;
    let data = storages.get(key).ok_or_else(|| damaged("its numbers are missing"))?;
    if data.len() != count.saturating_mul(width) {
        return Err(damaged("its numbers are not as many as it says"));
    }
    let numbers = shape.iter().try_fold(1usize, |all, n| all.checked_mul(*n));
    let bytes = numbers.and_then(|n| n.checked_mul(width)).filter(|b| *b <= *budget);
    let bytes = bytes.ok_or_else(|| damaged("its tensors take more than four times the file"))?;
    *budget -= bytes;
    let reach = |(n, stride): (&usize, &usize)| n.checked_sub(1).and_then(|n| n.checked_mul(*stride));
    let last = shape.iter().zip(strides).try_fold(*offset, |at, axis| at.checked_add(reach(axis)?));
    if bytes > 0 && last.is_none_or(|last| last >= *count) {
        return Err(damaged("a tensor reaches beyond its numbers"));
    }
    let mut out = Vec::with_capacity(bytes);
    let mut index = vec![0; shape.len()];
    for _ in 0..bytes / width {
        let at = offset + index.iter().zip(strides).map(|(i, s)| i * s).sum::<usize>();
        out.extend_from_slice(&data[at * width..][..width]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Ok(Tensor { name: name.into(), dtype: *dtype, shape: shape.clone(), bytes: out })
}

fn damaged(how: &str) -> InputError {
    InputError::new(format!("the checkpoint is damaged: {how}. Fetch or save it again"))
}
