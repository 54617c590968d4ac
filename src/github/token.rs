//! The token that GitHub knows us by.

use std::fmt;

use octocrab::secrecy::{ExposeSecret, SecretString};

/// What stands where the token would.
const COVER: &str = "***";

/// A token. There is no way to print it: it goes into the header of a request and nowhere else, and its memory is
/// overwritten when it is dropped.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// The token in this text; spaces and line ends around it don't count.
    ///
    /// # Errors
    /// Where the text is empty, or can't stand in the header of a request. The text is not quoted.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("the token is empty, or has characters that no token has".to_owned());
        }
        Ok(Self(SecretString::from(text)))
    }

    pub(super) fn secret(&self) -> SecretString {
        self.0.clone()
    }

    /// The text, with the token taken out: whoever answers may repeat what it was sent.
    pub(super) fn cover(&self, text: &str) -> String {
        text.replace(self.0.expose_secret(), COVER)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COVER)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::new(" ghs_s3cret\n").unwrap();
        assert_eq!(format!("{token} {token:?} {:#?}", Some(&token)), "*** *** Some(\n    ***,\n)");
        assert_eq!(token.cover("Bearer ghs_s3cret was sent"), "Bearer *** was sent");
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_quoted() {
        for bad in ["", " \n", "ghs_s3 cret", "ghs_s3cret\nX-Evil: 1", "ghs_s3cret\u{7f}", "ghs_s3cretä"] {
            let said = Token::new(bad).unwrap_err();
            assert!(!said.contains("s3"), "{said}");
        }
    }
}
