//! Tiles on x86-64. The panels' triples and their use are described at [`super::Panels`].

#![allow(unsafe_code)]

use super::{COLUMNS, ROWS};
use std::arch::x86_64::*;

/// Sixteen columns a register, two registers a row: sixteen counters, six registers of b, three of a. Five instructions a
/// register and pair of words: ⊕, two three-input functions, the count, the sum.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
pub fn avx512(a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize) {
    for row in c.chunks(stride).take(ROWS) {
        for at in [&row[0], &row[COLUMNS / 2]] {
            // otherwise the end waits for the lines it writes to
            _mm_prefetch::<_MM_HINT_ET0>(std::ptr::from_ref(at).cast());
        }
    }
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<{ 3 * ROWS }>(), b.as_chunks::<{ 3 * COLUMNS }>());
    let mut carries = [[_mm512_setzero_si512(); 2]; ROWS];
    for (a, b) in a.iter().zip(b) {
        let (b, _) = b.as_chunks();
        let ([s0, s1], [x0, x1], [y0, y1]) =
            ([load16(&b[0]), load16(&b[1])], [load16(&b[2]), load16(&b[3])], [load16(&b[4]), load16(&b[5])]);
        for i in 0..ROWS {
            let (s, x, y) = (splat16(a[i]), splat16(a[ROWS + i]), splat16(a[2 * ROWS + i]));
            for (j, (bs, bx, by)) in [(s0, x0, y0), (s1, x1, y1)].into_iter().enumerate() {
                let both = _mm512_ternarylogic_epi32::<AND_XOR>(_mm512_xor_si512(x, bx), y, by);
                let majority = _mm512_ternarylogic_epi32::<XOR3>(both, s, bs);
                carries[i][j] = _mm512_add_epi32(carries[i][j], _mm512_popcnt_epi32(majority));
            }
        }
    }
    let ((b, _), n) = (b_last.as_chunks(), splat16(n as u32));
    for i in 0..ROWS {
        for j in 0..2 {
            let parity = _mm512_popcnt_epi32(_mm512_xor_si512(splat16(a_last[i]), load16(&b[j])));
            let twice = _mm512_slli_epi32::<2>(carries[i][j]);
            let value = _mm512_sub_epi32(n, _mm512_add_epi32(twice, _mm512_add_epi32(parity, parity)));
            let out = &mut c[stride * i + 16 * j..][..16];
            // SAFETY: `out` is 16 numbers of 32 bits, and an unaligned store needs no more.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), value) };
        }
    }
}

/// Truth tables of p ∧ (q ⊕ r) and p ⊕ q ⊕ r, bit 4p + 2q + r.
const AND_XOR: i32 = 0b0110_0000;
const XOR3: i32 = 0b1001_0110;

#[inline]
#[target_feature(enable = "avx512f")]
fn load16(x: &[u32; 16]) -> __m512i {
    // SAFETY: the reference is to 512 bits, and an unaligned load needs no more.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat16(x: u32) -> __m512i {
    _mm512_set1_epi32(x as i32)
}

/// Rows of a strip: with one register of eight columns, four byte counters, three registers of b, and room for the rest.
const STRIP: usize = 4;

/// Bytes hold the counts of 31 pairs: 31 · 8 < 256.
const UNTIL_FULL: usize = 31;

/// Strips of four rows and eight columns.
#[target_feature(enable = "avx2")]
pub fn avx2(a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize) {
    for i in (0..ROWS).step_by(STRIP) {
        for j in (0..COLUMNS).step_by(8) {
            strip(a, b, n, &mut c[stride * i + j..], stride, (i, j));
        }
    }
}

#[target_feature(enable = "avx2")]
fn strip(a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize, (i0, j0): (usize, usize)) {
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<{ 3 * ROWS }>(), b.as_chunks::<{ 3 * COLUMNS }>());
    let mut carries = [_mm256_setzero_si256(); STRIP];
    for (a, b) in a.chunks(UNTIL_FULL).zip(b.chunks(UNTIL_FULL)) {
        let mut bytes = [_mm256_setzero_si256(); STRIP];
        for (a, b) in a.iter().zip(b) {
            let (bs, bx, by) = (load8(&b[j0..]), load8(&b[COLUMNS + j0..]), load8(&b[2 * COLUMNS + j0..]));
            let a = &a[i0..][..2 * ROWS + STRIP];
            for i in 0..STRIP {
                let x = _mm256_xor_si256(splat8(a[ROWS + i]), bx);
                let y = _mm256_xor_si256(splat8(a[2 * ROWS + i]), by);
                let s = _mm256_xor_si256(splat8(a[i]), bs);
                let majority = _mm256_xor_si256(s, _mm256_and_si256(x, y));
                bytes[i] = _mm256_add_epi8(bytes[i], count_bytes(majority));
            }
        }
        for i in 0..STRIP {
            carries[i] = _mm256_add_epi32(carries[i], add_bytes(bytes[i]));
        }
    }
    for i in 0..STRIP {
        let parity = add_bytes(count_bytes(_mm256_xor_si256(splat8(a_last[i0 + i]), load8(&b_last[j0..]))));
        let distance = _mm256_add_epi32(_mm256_add_epi32(carries[i], carries[i]), parity);
        let value = _mm256_sub_epi32(splat8(n as u32), _mm256_add_epi32(distance, distance));
        let out = &mut c[stride * i..][..8];
        // SAFETY: `out` is 8 numbers of 32 bits, and an unaligned store needs no more.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), value) };
    }
}

/// Bits of each byte, by a table of the counts of four bits (Muła).
#[inline]
#[target_feature(enable = "avx2")]
fn count_bytes(x: __m256i) -> __m256i {
    let counts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    let (table, four) = (_mm256_broadcastsi128_si256(counts), _mm256_set1_epi8(15));
    let low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, four));
    let high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(x), four));
    _mm256_add_epi8(low, high)
}

/// Sums of the four bytes of each lane of 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn add_bytes(x: __m256i) -> __m256i {
    let pairs = _mm256_maddubs_epi16(x, _mm256_set1_epi8(1));
    _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load8(x: &[u32]) -> __m256i {
    let x = &x[..8];
    // SAFETY: the slice has 256 bits, and an unaligned load needs no more.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat8(x: u32) -> __m256i {
    _mm256_set1_epi32(x as i32)
}
