//! API tokens as people store them.

/// What is wrong with a value that should be an API token. Never contains any of it. Completes a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error("is empty: store the token there")]
    Empty,
    #[error("begins with a byte-order mark: store the token as plain text without one")]
    ByteOrderMark,
    #[error("is in quotation marks: store the token without them")]
    Quoted,
    #[error("begins with {0:?}, which the operator adds itself: store only what comes after it")]
    Scheme(&'static str),
    #[error("has more than one line: store the token, and nothing else")]
    SeveralLines,
    #[error("has a blank in it: store the token, and nothing else")]
    Blank,
    #[error("has a character that no token has (not ASCII, or invisible): copy the token again")]
    Foreign,
}

/// Returns the token in a value. White space around it is ignored, because files often end with a line break.
///
/// # Errors
/// What is wrong with the value. Each service would only respond that it does not know the token.
pub fn token(value: &str) -> Result<&str, TokenProblem> {
    if value.trim_start().starts_with(['\u{feff}', '\u{fffe}']) {
        return Err(TokenProblem::ByteOrderMark);
    }
    let token = value.trim();
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`' | '´') || ('\u{2018}'..='\u{201f}').contains(&c);
    let scheme = ["SSWS", "Bearer"].into_iter().find(|scheme| {
        let first = token.split(char::is_whitespace).next();
        first.is_some_and(|first| first.eq_ignore_ascii_case(scheme))
    });
    if token.is_empty() {
        Err(TokenProblem::Empty)
    } else if token.starts_with(is_quote) || token.ends_with(is_quote) {
        Err(TokenProblem::Quoted)
    } else if let Some(scheme) = scheme {
        Err(TokenProblem::Scheme(scheme))
    } else if token.contains(['\n', '\r']) {
        Err(TokenProblem::SeveralLines)
    } else if token.contains(char::is_whitespace) {
        Err(TokenProblem::Blank)
    } else if token.contains(|c: char| !c.is_ascii_graphic()) {
        Err(TokenProblem::Foreign)
    } else {
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_token_is_said_without_showing_it() {
        use TokenProblem::*;
        for (value, expected) in [
            ("00secret-_.~+/=", Ok("00secret-_.~+/=")),
            (" \t00secret\r\n", Ok("00secret")),
            ("00secret\n\n", Ok("00secret")),
            ("", Err(Empty)),
            (" \n", Err(Empty)),
            ("\u{feff}00secret", Err(ByteOrderMark)),
            (" \u{feff}00secret", Err(ByteOrderMark)),
            ("\u{feff}", Err(ByteOrderMark)),
            ("\"00secret\"\n", Err(Quoted)),
            ("'00secret'", Err(Quoted)),
            ("00secret\"", Err(Quoted)),
            ("“00secret”", Err(Quoted)),
            ("\"SSWS 00secret\"", Err(Quoted)),
            ("SSWS 00secret", Err(Scheme("SSWS"))),
            ("SSWS SSWS 00secret", Err(Scheme("SSWS"))),
            ("ssws\t00secret", Err(Scheme("SSWS"))),
            ("Bearer 00secret", Err(Scheme("Bearer"))),
            ("bearer bearer 00secret", Err(Scheme("Bearer"))),
            ("Bearer", Err(Scheme("Bearer"))),
            ("BearerOfTokens", Ok("BearerOfTokens")),
            ("00secret\n00second", Err(SeveralLines)),
            ("00secret\r00second", Err(SeveralLines)),
            ("00secret 00second", Err(Blank)),
            ("00secret\u{a0}00second", Err(Blank)),
            ("00sécret", Err(Foreign)),
            ("00secret\u{200b}", Err(Foreign)),
            ("00secret\u{0}", Err(Foreign)),
            ("00\u{7f}secret", Err(Foreign)),
        ] {
            let found = token(value);
            assert_eq!(found, expected, "{value:?}");
            if let Err(problem) = found {
                assert!(!format!("{problem} {problem:?}").contains("00se"), "{problem}");
            }
        }
    }
}
