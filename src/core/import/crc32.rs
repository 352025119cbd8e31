//! Owns the checksum of Flyway: the CRC-32 of a text's lines without their ends.

/// The checksum as Flyway stores it.
///
/// As in `ChecksumCalculator.java` of Flyway: Java's `readLine` ends a line at `\n`, `\r` or both.
pub(super) fn of_lines(text: &str) -> i32 {
    let mut sum = crc32fast::Hasher::new();
    text.split(['\n', '\r']).for_each(|line| sum.update(line.as_bytes()));
    sum.finalize().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_that_of_the_standard() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(of_lines("123456789"), 0xCBF4_3926_u32.cast_signed());
        assert_eq!(of_lines("1234\r\n567\n89\n"), of_lines("123456789"));
        assert_eq!(of_lines(""), 0);
    }
}
