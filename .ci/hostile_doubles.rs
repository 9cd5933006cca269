//! Writes doubles that are hard to print and to read as `doubles.csv` (and `doubles.parquet`) into a folder, each beside its
//! bits: for roundtrip.sh.

use implicit_bias::error::InputError;
use implicit_bias::record::table::Table;
use implicit_bias::record::write_file;
use std::path::PathBuf;

fn main() -> Result<(), InputError> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_default());
    let chosen =
        [0.0, -0.0, 0.1 + 0.2, 5e-324, -2.225e-308, 1e308, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let hard = [9007199254740993.0, f64::MIN_POSITIVE, 6.02214076e23, 1e23, 8.5e22, 123456789012345.67, 0.3];
    // Random bits: every exponent, subnormal numbers and NaN among them (splitmix64, Steele et al. 2014).
    let mut state = 0_u64;
    let random = std::iter::from_fn(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ (z >> 31))
    });
    // Numbers near one have seventeen digits, and those of experiments are of this kind.
    let near_one = random.clone().skip(100_000).map(|bits| f64::from_bits((bits >> 12) | (0x3ff << 52)));
    let all = chosen.into_iter().chain(hard);
    let all = all.chain(random.map(f64::from_bits).take(100_000)).chain(near_one.take(100_000));
    let mut table = Table::new(["bits", "value"]);
    all.for_each(|value| table.push(vec![format!("{:#018x}", value.to_bits()).into(), value.into()]));
    #[cfg(feature = "parquet")]
    write_file(&folder.join("doubles.parquet"), &implicit_bias::report::parquet::parquet(&table)?)?;
    write_file(&folder.join("doubles.csv"), table.to_csv().as_bytes())
}
