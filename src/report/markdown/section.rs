//! Parts of a report that are cut where the whole would be too long.

use crate::report::numbers::counted;

/// A part of the report that can be cut after any entry.
pub(in crate::report) struct Section {
    open: String,
    entries: Vec<String>,
    close: &'static str,
    noun: &'static str,
}

impl Section {
    /// `None` without entries: a section says something or is not there.
    pub(in crate::report) fn new(
        open: String,
        entries: Vec<String>,
        close: &'static str,
        noun: &'static str,
    ) -> Option<Self> {
        (!entries.is_empty()).then_some(Self { open, entries, close, noun })
    }

    /// The same below a heading, which is the report's own words.
    pub(in crate::report) fn headed(self, heading: &str) -> Self {
        Self { open: format!("\n#### {heading}\n{}", self.open), ..self }
    }

    /// The same behind a summary, which is the report's own words; for a section that closes nothing itself.
    pub(in crate::report) fn folded(self, summary: &str) -> Self {
        let open = format!("\n<details><summary>{summary}</summary>\n{}", self.open);
        Self { open, close: "\n</details>\n", ..self }
    }

    /// Room for saying that everything was left out.
    fn least(&self) -> usize {
        self.open.len() + self.close.len() + self.left_out(self.entries.len()).len()
    }

    /// As many entries as fit into `most` bytes, and the number of the others.
    pub(in crate::report) fn write(&self, most: usize) -> String {
        let mut text = self.open.clone();
        let reserve = self.close.len() + self.left_out(self.entries.len()).len();
        let mut written = 0;
        for entry in &self.entries {
            if text.len() + entry.len() + reserve > most {
                break;
            }
            text += entry;
            written += 1;
        }
        text += self.close;
        if written < self.entries.len() {
            text += &self.left_out(self.entries.len() - written);
        }
        text
    }

    fn left_out(&self, count: usize) -> String {
        format!("\n_{} more left out: the report's page and the run's file have all._\n", counted(count, self.noun))
    }
}

/// All sections in at most `most` bytes, if that is enough for saying what is left out. None takes more than one part in `share`
/// of the room that those before it left: with a share of 1 the first ones are complete before the last ones are begun.
pub(in crate::report) fn fitted(sections: &[Option<Section>], most: usize, share: usize) -> String {
    let reserved: usize = sections.iter().flatten().map(Section::least).sum();
    let mut free = most.saturating_sub(reserved);
    let mut text = String::new();
    for section in sections.iter().flatten() {
        let written = section.write(section.least() + free / share);
        free = (free + section.least()).saturating_sub(written.len());
        text += &written;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten() -> Section {
        let entries: Vec<String> = (0..10).map(|n| format!("entry {n}\n")).collect();
        Section::new("open\n".to_owned(), entries, "close\n", "row").unwrap()
    }

    #[test]
    fn a_section_that_does_not_fit_says_how_much_is_missing() {
        let section = ten();
        let cut = section.write(section.least() + 20);
        assert!(cut.starts_with("open\nentry 0\nentry 1\nclose\n") && cut.contains("8 rows more left out"), "{cut}");
        assert!(cut.len() <= section.least() + 20);
        assert_eq!(section.write(10_000).lines().count(), 12);
    }

    #[test]
    fn the_first_section_takes_all_or_leaves_a_share_to_the_others() {
        let sections = [Some(ten()), None, Some(ten())];
        let least: usize = sections.iter().flatten().map(Section::least).sum();
        let [greedy, fair] = [1, 2].map(|share| fitted(&sections, least + 60, share));
        assert!(greedy.contains("10 rows more left out") && greedy.contains("entry 6"), "{greedy}");
        assert!(fair.matches("entry 0\n").count() == 2 && !fair.contains("entry 5"), "{fair}");
        assert!(greedy.len() <= least + 60 && fair.len() <= least + 60);
        assert!(!fitted(&sections, 10_000, 2).contains("left out"));
    }

    #[test]
    fn a_folded_section_closes_what_it_opened() {
        let written = ten().headed("Ten").folded("10 rows").write(1_000);
        assert!(written.starts_with("\n<details><summary>10 rows</summary>\n\n#### Ten\nopen\nentry 0\n"), "{written}");
        assert!(written.ends_with("entry 9\n\n</details>\n"), "{written}");
    }
}
