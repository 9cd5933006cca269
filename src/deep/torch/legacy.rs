use super::damaged;
use super::node::{Node, Parts};
use super::pickle::Machine;
use crate::error::{InputError, Result};
use std::collections::HashMap;

/// A pickle of the magic number 0x1950a86a20f9469cfc6c, and one of the protocol's version, 1001.
const START: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";

/// Start, a pickle about the machine, that of the state dict, that of the keys of storages; then of each its count (8 bytes)
/// and numbers.
pub fn read(file: &[u8]) -> Result<Parts<'_>> {
    let mut rest = file.strip_prefix(START).ok_or_else(|| {
        InputError::new("this is no PyTorch checkpoint. Write one with torch.save(model.state_dict(), …).")
    })?;
    let mut machine = Machine::default();
    let about = machine.load(&mut rest)?;
    if let Node::Dict(entries) = machine.nodes.node(about)
        && entries
            .iter()
            .any(|(k, v)| machine.nodes.text(*k) == Ok("little_endian") && *machine.nodes.node(*v) != Node::Integer(1))
    {
        return Err(InputError::new("the checkpoint is big-endian. Save it again on another machine."));
    }
    let root = machine.load(&mut rest)?;
    let keys = machine.load(&mut rest)?;
    let widths = machine.nodes.widths();
    let mut storages = HashMap::new();
    for key in machine.nodes.sequence(keys)? {
        let key = machine.nodes.text(*key)?;
        let (count, numbers) = rest.split_first_chunk().ok_or_else(|| damaged("it ends early"))?;
        let width = widths.get(key).ok_or_else(|| damaged("numbers belong to no tensor"))?;
        let bytes = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|c| c.checked_mul(*width));
        let split = bytes.and_then(|b| numbers.split_at_checked(b)).ok_or_else(|| damaged("it ends early"))?;
        storages.insert(key.to_owned(), split.0);
        rest = split.1;
    }
    match rest.is_empty() {
        true => Ok((machine.nodes, root, storages)),
        false => Err(damaged("something follows its end")),
    }
}
