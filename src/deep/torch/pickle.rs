use super::damaged;
use super::node::{Node, Nodes, Storage, refused};
use crate::error::Result;
use safetensors::tensor::Dtype;
use std::collections::HashMap;

/// All that a state dict names.
const DICT: &str = "collections OrderedDict";
const REBUILD: &str = "torch._utils _rebuild_tensor_v2";
const PARAMETER: &str = "torch._utils _rebuild_parameter";
const STORAGES: [(&str, Dtype); 9] = [
    ("torch FloatStorage", Dtype::F32),
    ("torch DoubleStorage", Dtype::F64),
    ("torch HalfStorage", Dtype::F16),
    ("torch BFloat16Storage", Dtype::BF16),
    ("torch LongStorage", Dtype::I64),
    ("torch IntStorage", Dtype::I32),
    ("torch ShortStorage", Dtype::I16),
    ("torch CharStorage", Dtype::I8),
    ("torch ByteStorage", Dtype::U8),
];

/// Reads pickles (protocol 2): <https://docs.python.org/3/library/pickletools.html>.
#[derive(Debug, Default)]
pub struct Machine {
    /// The values.
    pub nodes: Nodes,
    stack: Vec<usize>,
    memo: HashMap<u32, usize>,
}

impl Machine {
    /// Runs one pickle, and returns its value; `bytes` is then what follows.
    pub fn load(&mut self, bytes: &mut &[u8]) -> Result<usize> {
        self.stack.clear();
        self.memo.clear();
        loop {
            let [code] = take(bytes)?;
            match code {
                0x80 => {
                    take::<1>(bytes)?;
                }
                b'.' => return self.pop(),
                b'(' => self.push(Node::Mark),
                b'N' => self.push(Node::Nothing),
                0x88 => self.push(Node::Integer(1)),
                0x89 => self.push(Node::Integer(0)),
                b'J' => {
                    let value = i32::from_le_bytes(take(bytes)?);
                    self.push(Node::Integer(value.into()));
                }
                b'K' => {
                    let [value] = take(bytes)?;
                    self.push(Node::Integer(value.into()));
                }
                b'M' => {
                    let value = u16::from_le_bytes(take(bytes)?);
                    self.push(Node::Integer(value.into()));
                }
                0x8a => self.long(bytes)?,
                b'X' => {
                    let length = u32::from_le_bytes(take(bytes)?) as usize;
                    let (text, rest) = bytes.split_at_checked(length).ok_or_else(|| damaged("it ends early"))?;
                    *bytes = rest;
                    let text = String::from_utf8(text.to_vec()).map_err(|_| damaged("a name is not UTF-8"))?;
                    self.push(Node::Text(text));
                }
                b')' => self.push(Node::Sequence(vec![])),
                b']' => self.push(Node::Sequence(vec![])),
                b'}' => self.push(Node::Dict(vec![])),
                b't' => {
                    let items = self.marked()?;
                    self.push(Node::Sequence(items));
                }
                0x85..=0x87 => {
                    let mut items: Vec<_> = (0x84..code).map(|_| self.pop()).collect::<Result<_>>()?;
                    items.reverse();
                    self.push(Node::Sequence(items));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend(&[item])?;
                }
                b'e' => {
                    let items = self.marked()?;
                    self.extend(&items)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.insert(&[key, value])?;
                }
                b'u' => {
                    let items = self.marked()?;
                    self.insert(&items)?;
                }
                b'q' => {
                    let [at] = take(bytes)?;
                    self.remember(at.into())?;
                }
                b'r' => {
                    let at = u32::from_le_bytes(take(bytes)?);
                    self.remember(at)?;
                }
                b'h' => {
                    let [at] = take(bytes)?;
                    self.recall(at.into())?;
                }
                b'j' => {
                    let at = u32::from_le_bytes(take(bytes)?);
                    self.recall(at)?;
                }
                b'c' => self.global(bytes)?,
                b'Q' => self.storage()?,
                b'R' => self.call()?,
                // The attributes of a dict, of which a state dict has `_metadata`: versions of modules, not needed.
                b'b' => {
                    self.pop()?;
                }
                other => return Err(refused(&format!("the pickle opcode 0x{other:02x}"))),
            }
        }
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.0.len());
        self.nodes.0.push(node);
    }

    fn pop(&mut self) -> Result<usize> {
        self.stack.pop().ok_or_else(|| damaged("a value is missing"))
    }

    /// What lies above the last mark.
    fn marked(&mut self) -> Result<Vec<usize>> {
        let mark = self.stack.iter().rposition(|n| self.nodes.0[*n] == Node::Mark);
        let items = self.stack.split_off(mark.ok_or_else(|| damaged("a mark is missing"))?);
        Ok(items[1..].to_vec())
    }

    fn top(&mut self) -> Result<&mut Node> {
        let top = self.stack.last().ok_or_else(|| damaged("a value is missing"))?;
        Ok(&mut self.nodes.0[*top])
    }

    fn extend(&mut self, items: &[usize]) -> Result<()> {
        let Node::Sequence(list) = self.top()? else { return Err(damaged("a list is missing")) };
        list.extend(items);
        Ok(())
    }

    fn insert(&mut self, items: &[usize]) -> Result<()> {
        let Node::Dict(entries) = self.top()? else { return Err(damaged("a dict is missing")) };
        let (pairs, rest) = items.as_chunks::<2>();
        entries.extend(pairs.iter().map(|[key, value]| (*key, *value)));
        rest.is_empty().then_some(()).ok_or_else(|| damaged("a key has no value"))
    }

    fn remember(&mut self, at: u32) -> Result<()> {
        let top = *self.stack.last().ok_or_else(|| damaged("a value is missing"))?;
        self.memo.insert(at, top);
        Ok(())
    }

    fn recall(&mut self, at: u32) -> Result<()> {
        let node = *self.memo.get(&at).ok_or_else(|| damaged("a value is missing"))?;
        self.stack.push(node);
        Ok(())
    }

    fn long(&mut self, bytes: &mut &[u8]) -> Result<()> {
        let [length] = take(bytes)?;
        let (digits, rest) = bytes.split_at_checked(length.into()).ok_or_else(|| damaged("it ends early"))?;
        *bytes = rest;
        let negative = digits.last().is_some_and(|d| d & 0x80 != 0);
        let mut value = [if negative { 0xff } else { 0 }; 8];
        // The magic number alone has more digits; it is compared as bytes beforehand.
        let kept = digits.len().min(8);
        value[..kept].copy_from_slice(&digits[..kept]);
        self.push(Node::Integer(i64::from_le_bytes(value)));
        Ok(())
    }

    fn global(&mut self, bytes: &mut &[u8]) -> Result<()> {
        let mut line = || {
            let end = bytes.iter().position(|b| *b == b'\n').ok_or_else(|| damaged("it ends early"))?;
            let (line, rest) = bytes.split_at(end);
            *bytes = &rest[1..];
            Ok(String::from_utf8_lossy(line))
        };
        let name = format!("{} {}", line()?, line()?);
        let known = [DICT, REBUILD, PARAMETER].into_iter().chain(STORAGES.map(|s| s.0)).find(|k| *k == name);
        let known = known.ok_or_else(|| refused(&format!("`{}`", name.replace(' ', "."))))?;
        self.push(Node::Global(known));
        Ok(())
    }

    /// ('storage', kind, key, device, count), and in the legacy format what it is a view of.
    fn storage(&mut self) -> Result<()> {
        let id = self.pop()?;
        let [_, kind, key, _, count, view @ ..] = self.nodes.sequence(id)? else {
            return Err(damaged("a storage is odd"));
        };
        if view.iter().any(|v| *self.nodes.node(*v) != Node::Nothing) {
            return Err(refused("a view of a storage"));
        }
        let Node::Global(kind) = self.nodes.node(*kind) else { return Err(damaged("a storage has no kind")) };
        let (_, dtype) = *STORAGES.iter().find(|s| s.0 == *kind).ok_or_else(|| damaged("a storage has no kind"))?;
        let storage = Storage { dtype, key: self.nodes.text(*key)?.into(), count: self.nodes.count(*count)? };
        self.push(Node::Storage(storage));
        Ok(())
    }

    fn call(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let node = match (self.nodes.node(function), self.nodes.sequence(arguments)?) {
            (Node::Global(DICT), []) => Node::Dict(vec![]),
            (Node::Global(REBUILD), [storage, offset, shape, strides, ..]) => {
                let sizes = |of: usize| {
                    self.nodes.sequence(of)?.iter().map(|n| self.nodes.count(*n)).collect::<Result<Vec<_>>>()
                };
                let (offset, shape, strides) = (self.nodes.count(*offset)?, sizes(*shape)?, sizes(*strides)?);
                if shape.len() != strides.len() || shape.len() > 16 {
                    return Err(damaged("a tensor has an odd shape"));
                }
                Node::Tensor { storage: *storage, offset, shape, strides }
            }
            (Node::Global(PARAMETER), [tensor, ..]) => {
                self.stack.push(*tensor);
                return Ok(());
            }
            _ => return Err(refused("an odd call")),
        };
        self.push(node);
        Ok(())
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("it ends early"))?;
    *bytes = rest;
    Ok(*head)
}
