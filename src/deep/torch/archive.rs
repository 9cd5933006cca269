use super::damaged;
use super::node::Parts;
use super::pickle::Machine;
use crate::error::{InputError, Result};

const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// Whether a file is a ZIP archive.
pub fn is_one(file: &[u8]) -> bool {
    file.starts_with(b"PK\x03\x04")
}

/// `…/data.pkl`, and the numbers of each storage in `…/data/<key>`.
pub fn read(file: &[u8]) -> Result<Parts<'_>> {
    let files = entries(file)?;
    let ending = |end: &str| files.iter().find(|(name, _)| name.ends_with(end)).map(|(name, bytes)| (name, *bytes));
    let (name, mut pickle) = ending("/data.pkl").ok_or_else(|| {
        InputError::new("this ZIP archive is no PyTorch checkpoint. Write one with torch.save(model.state_dict(), …).")
    })?;
    if ending("/byteorder").is_some_and(|(_, order)| order != b"little") {
        return Err(InputError::new("the checkpoint is big-endian. Save it again on another machine."));
    }
    let folder = format!("{}/data/", name.trim_end_matches("/data.pkl"));
    let mut machine = Machine::default();
    let root = machine.load(&mut pickle)?;
    let key = |name: &str| name.strip_prefix(&folder).map(str::to_owned);
    let storages = files.iter().filter_map(|(name, bytes)| Some((key(name)?, *bytes))).collect();
    Ok((machine.nodes, root, storages))
}

/// Names and contents of the entries, which PyTorch stores without compression.
fn entries(file: &[u8]) -> Result<Vec<(String, &[u8])>> {
    let early = || damaged("it ends early");
    // The end record has 22 bytes, then a comment, which PyTorch does not write.
    let end = file.len().checked_sub(22).filter(|at| file[*at..].starts_with(END)).ok_or_else(early)?;
    let (count, mut at) = (number::<2>(file, end + 10)?, number::<4>(file, end + 16)?);
    let mut found = vec![];
    for _ in 0..count {
        if !file.get(at..).is_some_and(|rest| rest.starts_with(CENTRAL)) {
            return Err(damaged("its directory cannot be read; archives above 4 GiB are not supported"));
        }
        let [method, size, name, extra, comment] = [
            number::<2>(file, at + 10)?,
            number::<4>(file, at + 24)?,
            number::<2>(file, at + 28)?,
            number::<2>(file, at + 30)?,
            number::<2>(file, at + 32)?,
        ];
        let local = number::<4>(file, at + 42)?;
        let text = file.get(at + 46..at + 46 + name).ok_or_else(early)?;
        let start = local + 30 + number::<2>(file, local + 26)? + number::<2>(file, local + 28)?;
        let bytes = file.get(start..start + size).filter(|_| method == 0).ok_or_else(|| damaged("an entry is odd"))?;
        found.push((String::from_utf8_lossy(text).into_owned(), bytes));
        at += 46 + name + extra + comment;
    }
    Ok(found)
}

/// N bytes, little-endian.
fn number<const N: usize>(file: &[u8], at: usize) -> Result<usize> {
    let bytes = file.get(at..).and_then(|rest| rest.first_chunk::<N>()).ok_or_else(|| damaged("it ends early"))?;
    Ok(bytes.iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte)))
}
