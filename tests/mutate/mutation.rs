/// Splitmix64: a case is its number, on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    pub fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// What readers stumble over.
const WORDS: [&str; 34] = [
    "",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "NaN",
    "0",
    "-0.0",
    "-1",
    "1",
    "2",
    "0.5",
    "1e308",
    "1e-320",
    "1e999",
    "4096",
    "1048576",
    "99999999",
    "2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "\"\"",
    "\"../../evil\"",
    "\"/evil\"",
    "\"a\\u0000b\"",
    "\"\u{202e}𝔘nicode\"",
    "[]",
    "{}",
    "[1, 2]",
    "[[]]",
    "true",
    "1979-05-27",
    "\n",
    "\u{feff}",
];

/// One to four changes, mostly one; `other` is a file of the same kind to take words from.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let most = 1 + random.below(4);
    for _ in 0..1 + random.below(most) {
        let (length, at, most) = (bytes.len(), random.below(bytes.len()), 1 << random.below(9));
        let end = (at + 1 + random.below(most)).min(length);
        match random.below(10) {
            _ if length == 0 => bytes.extend(*random.of(&[&b"x"[..], b"[", b"\xff", b"1,2\n"])),
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let again = bytes[at..end].to_vec();
                replace(bytes, at..at, &again);
            }
            5 => replace(bytes, at..at, &vec![*random.of(b"[{(\"9,"); 1 << random.below(14)]),
            6 => bytes[at..end].fill(*random.of(b"\0\xff9,\n\"")),
            7 | 8 => replace(bytes, word(bytes, at), random.of(&WORDS).as_bytes()),
            _ => replace(bytes, word(bytes, at), &other[word(other, random.below(other.len()))]),
        }
    }
}

fn replace(bytes: &mut Vec<u8>, range: std::ops::Range<usize>, by: &[u8]) {
    bytes.splice(range, by.iter().copied());
}

/// The number, name or string around a place; a byte where there is none.
fn word(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'"' | b'+');
    let from = bytes[..at].iter().rposition(|b| !inside(b)).map_or(0, |k| k + 1);
    let to = bytes[at..].iter().position(|b| !inside(b)).map_or(bytes.len(), |k| at + k);
    if from < to { from..to } else { at..(at + 1).min(bytes.len()) }
}
