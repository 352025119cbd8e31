//! Owns the checksum of Flyway: the CRC-32 of a text's lines without their ends.

/// The checksum as Flyway stores it.
///
/// As in `ChecksumCalculator.java` of Flyway: Java's `readLine` ends a line at `\n`, `\r` or both.
pub(super) fn of_lines(text: &str) -> i32 {
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'));
    let crc = bytes.fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)));
    (!crc).cast_signed()
}

const fn step(crc: u32) -> u32 {
    if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
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
