//! What a pickle consists of.

use super::damaged;
use crate::error::{InputError, Result};
use safetensors::tensor::Dtype;
use std::collections::HashMap;

/// A value. Containers hold numbers of others, so that nothing nests and sharing costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Mark,
    Nothing,
    Integer(i64),
    Text(String),
    Sequence(Vec<usize>),
    Dict(Vec<(usize, usize)>),
    Global(&'static str),
    Storage(Storage),
    Tensor { storage: usize, offset: usize, shape: Vec<usize>, strides: Vec<usize> },
}

/// Numbers that tensors look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    pub dtype: Dtype,
    pub key: String,
    pub count: usize,
}

/// Values by their numbers.
#[derive(Debug, Default)]
pub struct Nodes(pub Vec<Node>);

/// The nodes of a checkpoint, the root among them, and the bytes of every storage.
pub type Parts<'a> = (Nodes, usize, std::collections::HashMap<String, &'a [u8]>);

impl Nodes {
    /// The value with a number.
    pub fn node(&self, number: usize) -> &Node {
        &self.0[number]
    }

    /// Names and numbers of values of a dict.
    pub fn state_dict(&self, root: usize) -> Result<Vec<(&str, usize)>> {
        let Node::Dict(entries) = self.node(root) else { return Err(refused("something else at its root")) };
        let entry = |(key, value): &(usize, usize)| match self.node(*key) {
            Node::Text(name) => Ok((name.as_str(), *value)),
            _ => Err(refused("an entry without a name")),
        };
        entries.iter().map(entry).collect()
    }

    /// Bytes of a number of each storage.
    pub fn widths<'a>(&'a self) -> HashMap<&'a str, usize> {
        let storage = |node: &'a Node| {
            if let Node::Storage(s) = node { Some((s.key.as_str(), s.dtype.bitsize() / 8)) } else { None }
        };
        self.0.iter().filter_map(storage).collect()
    }

    /// The items of a sequence.
    pub fn sequence(&self, number: usize) -> Result<&[usize]> {
        match self.node(number) {
            Node::Sequence(items) => Ok(items),
            _ => Err(damaged("a list is missing")),
        }
    }

    /// A text.
    pub fn text(&self, number: usize) -> Result<&str> {
        match self.node(number) {
            Node::Text(text) => Ok(text),
            _ => Err(damaged("a name is missing")),
        }
    }

    /// A size.
    pub fn count(&self, number: usize) -> Result<usize> {
        match self.node(number) {
            Node::Integer(n) => usize::try_from(*n).map_err(|_| damaged("a size is negative")),
            _ => Err(damaged("a size is missing")),
        }
    }
}

pub fn refused(what: &str) -> InputError {
    let remedy =
        "Only a state dict of dense tensors is read, and nothing is executed: torch.save(model.state_dict(), …)";
    InputError::new(format!("the checkpoint holds {what}. {remedy}"))
}
