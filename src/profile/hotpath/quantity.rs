//! Values as hotpath prints them: `714 ns`, `1.52 µs`, `358800 B`, `1.0 KB`, `299`.

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// A time, in nanoseconds.
    Time,
    /// A size, in bytes.
    Size,
    /// A plain number.
    Count,
}

impl Quantity {
    /// The value of a text. `None` where it is no such quantity (`N/A`), negative or not finite.
    pub(super) fn read(self, text: &str) -> Option<f64> {
        let text = text.trim();
        let (number, unit) = text.rsplit_once(' ').unwrap_or((text, ""));
        let number: f64 = number.parse().ok()?;
        let value = number * self.factor(unit)?;
        // Nanoseconds and bytes are whole before they are printed; what 4.07 * 1e6 adds is not theirs.
        let value = if self == Self::Count { value } else { value.round() };
        (value >= 0.0 && value.is_finite()).then_some(value)
    }

    /// What a unit is worth. hotpath's KB are 1,024 bytes.
    fn factor(self, unit: &str) -> Option<f64> {
        let factor = match (self, unit) {
            (Self::Time, "ns") | (Self::Size, "B") | (Self::Count, "") => 1.0,
            (Self::Time, "µs" | "us") => 1e3,
            (Self::Time, "ms") => 1e6,
            (Self::Time, "s") => 1e9,
            (Self::Size, "KB") => 1_024.0,
            (Self::Size, "MB") => 1_048_576.0,
            (Self::Size, "GB") => 1_073_741_824.0,
            (Self::Size, "TB") => 1_099_511_627_776.0,
            _ => return None,
        };
        Some(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity::{Count, Size, Time};

    #[test]
    fn every_unit_is_read_where_it_belongs() {
        assert_eq!(Time.read("714 ns"), Some(714.0));
        assert_eq!(Time.read("1.52 µs"), Some(1_520.0));
        assert_eq!(Time.read("4.07 ms"), Some(4_070_000.0));
        assert_eq!(Time.read("3.298793 ms"), Some(3_298_793.0));
        assert_eq!(Time.read("2 s"), Some(2e9));
        assert_eq!(Size.read("358800 B"), Some(358_800.0));
        assert_eq!(Size.read("1.5 KB"), Some(1_536.0));
        assert_eq!(Size.read("2.0 MB"), Some(2_097_152.0));
        assert_eq!(Count.read("33.05"), Some(33.05));
    }

    #[test]
    fn what_is_no_such_quantity_is_none() {
        for text in ["", "N/A", "5", "5 KB", "-1 ns", "inf s", "NaN ns", "1e400 s", "1 ns ns"] {
            assert_eq!(Time.read(text), None, "{text:?}");
        }
        assert_eq!(Size.read("5 ns"), None);
        assert_eq!(Count.read("5 B"), None);
    }
}
