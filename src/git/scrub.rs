//! Messages without credentials: whatever git says may end up in a public log.

/// The text, with user and password taken out of every URL: `https://user:token@host/` becomes `https://***@host/`.
///
/// The text may be the tail of a longer one, so its first word is taken for the rest of a URL if it looks like one.
pub(super) fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    if !starts_with_scheme(text) {
        let cut = text.trim_start_matches([':', '/']);
        clean.push_str(&text[..text.len() - cut.len()]);
        rest = without_user(cut, &mut clean);
    }
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        clean.push_str(before);
        rest = without_user(after, &mut clean);
    }
    clean.push_str(rest);
    clean
}

fn starts_with_scheme(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    word.contains("://")
}

/// Writes the user's stand-in, if there is a user, and returns what follows.
fn without_user<'t>(text: &'t str, clean: &mut String) -> &'t str {
    let ends = |c: char| c.is_whitespace() || "/?#'\"<>".contains(c);
    let authority = &text[..text.find(ends).unwrap_or(text.len())];
    match authority.rfind('@') {
        // The user of nearly every SSH remote, and no secret.
        Some(at) if &authority[..at] != "git" => {
            clean.push_str("***");
            &text[at..]
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_are_taken_out_of_every_url() {
        let said = "fatal: unable to access 'https://me:s3cret@host/a.git/': no\nremote: http://tok3n@host and ssh://a:b@h:22/x";
        let clean = scrub(said);
        assert_eq!(
            clean,
            "fatal: unable to access 'https://***@host/a.git/': no\nremote: http://***@host and ssh://***@h:22/x"
        );
    }

    #[test]
    fn a_password_with_an_at_sign_goes_as_a_whole() {
        assert_eq!(scrub("https://me:p@ss@host/x"), "https://***@host/x");
    }

    #[test]
    fn a_url_cut_at_the_beginning_of_a_tail_is_scrubbed_too() {
        assert_eq!(scrub("//me:s3cret@host/a.git': no"), "//me:s3cret@host/a.git': no".replace("me:s3cret", "***"));
        assert_eq!(scrub("s3cret@host/a.git': no"), "***@host/a.git': no");
    }

    #[test]
    fn what_holds_no_secret_stays() {
        for plain in
            ["git@github.com: Permission denied (publickey).", "https://host/pkg@1.0", "mail me@x or https://h", ""]
        {
            assert_eq!(scrub(plain), plain);
        }
    }
}
