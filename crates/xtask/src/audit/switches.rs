//! Nothing may switch a check off: neither a `cfg`, nor a feature, nor a variable of the environment (attack 29).
//!
//! So the source of the crates knows no condition but the few that are listed here, and none of these stands before a check.

use super::source::Token;

/// What may stand in a `cfg`.
const WORDS: [&str; 8] = [
    "all", "any", "not", "test", "doctest", "unix", "windows", "feature",
];
/// What may be denied in one: what is there for tests alone is never taken away from others.
const SYSTEMS: [&str; 2] = ["unix", "windows"];
/// Features that open layers for tests and take nothing away.
const FEATURES: [&str; 2] = ["hazmat", "conformance"];
/// Features that choose another library to compile, and on which no line of source depends.
const LIBRARIES: [&str; 1] = ["sqlcipher"];
/// Crates whose behaviour no environment may change.
const CORE: [&str; 3] = ["crates/ratchet/", "crates/omemo/", "crates/sqlite/"];
/// What dependencies are not asked for: it relaxes how they verify.
const RELAXING: [&str; 2] = ["legacy_compatibility", "danger"];

/// What is wrong in a source file of a crate.
pub(super) fn in_source(path: &str, tokens: &[Token]) -> Vec<String> {
    let is_core = CORE.iter().any(|core| path.starts_with(core));
    let mut mistakes = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at..).unwrap_or_default();
        if let Token::Word(word) = token
            && ["cfg", "cfg_attr"].contains(&word.as_str())
        {
            for odd in condition(word, rest) {
                mistakes.push(format!("{path}: a condition on '{odd}'"));
            }
            // tests add code of their own; they never run other code than everybody
            if is_core && matches!(rest.get(1), Some(Token::Mark('!'))) {
                mistakes.push(format!("{path}: a condition inside a function"));
            }
        }
        if is_core && reads_environment(rest) {
            mistakes.push(format!("{path}: it reads the environment"));
        }
    }
    mistakes
}

/// What does not belong into the condition that begins here.
fn condition(word: &str, tokens: &[Token]) -> Vec<String> {
    let mut depth = 0_usize;
    let mut negated = false;
    let mut odd = Vec::new();
    for token in tokens.iter().skip(1) {
        match token {
            Token::Mark('!') if depth == 0 => {}
            Token::Mark('(') => depth += 1,
            Token::Mark(')') => depth = depth.saturating_sub(1),
            // behind the first comma stands what the condition is for
            Token::Mark(',') if depth == 1 && word == "cfg_attr" => break,
            Token::Word(name) if name == "not" => negated = true,
            Token::Word(name) if !WORDS.contains(&name.as_str()) => odd.push(name.clone()),
            Token::Word(name) if negated && !SYSTEMS.contains(&name.as_str()) => {
                odd.push(format!("not {name}"));
            }
            Token::Text(name) if !FEATURES.contains(&name.as_str()) => odd.push(name.clone()),
            _ => {}
        }
        if depth == 0 && !matches!(token, Token::Mark('!')) {
            break;
        }
    }
    odd
}

fn reads_environment(tokens: &[Token]) -> bool {
    let word = |at: usize, wanted: &[&str]| matches!(tokens.get(at), Some(Token::Word(word)) if wanted.contains(&word.as_str()));
    let colons = matches!(tokens.get(1..3), Some([Token::Mark(':'), Token::Mark(':')]));
    (word(0, &["env"]) && colons && word(3, &["var", "var_os", "vars"]))
        || (word(0, &["option_env"]) && matches!(tokens.get(1), Some(Token::Mark('!'))))
}

/// What is wrong in a manifest: features that are not listed here, and dependencies that are asked to be lenient.
pub(super) fn in_manifest(path: &str, text: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut section = "";
    for line in text.lines().map(str::trim) {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.starts_with('[') {
            section = line;
        } else if let Some((name, _)) = line.split_once('=')
            && section == "[features]"
            && !["default"]
                .iter()
                .chain(&FEATURES)
                .chain(&LIBRARIES)
                .any(|known| *known == name.trim())
        {
            mistakes.push(format!("{path}: a feature '{}'", name.trim()));
        }
        for relaxing in RELAXING.iter().filter(|word| line.contains(**word)) {
            mistakes.push(format!("{path}: '{relaxing}' is asked for"));
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::super::source::tokens;
    use super::*;

    #[test]
    fn a29_no_switch_passes_unseen() {
        let see = |source: &str| in_source("crates/ratchet/src/x.rs", &tokens(source));
        for good in [
            "#[cfg(test)] mod tests;",
            "#[cfg(any(test, feature = \"hazmat\"))] pub mod hazmat;",
            "#[cfg(not(unix))] fn f() {}",
            "#[cfg_attr(test, allow(fuzzing))] fn f() {}",
            "// cfg(fuzzing)",
            "let cfg = 5; config(fuzzing)",
        ] {
            assert!(see(good).is_empty(), "{good}: {:?}", see(good));
        }
        for bad in [
            "if cfg!(fuzzing) { return Ok(()) }",
            "#[cfg(not(fuzzing))] check();",
            "#[cfg(any(test, feature = \"insecure\"))] fn f() {}",
            "#[cfg(feature = \"sqlcipher\")] fn f() {}",
            "#[cfg(debug_assertions)] fn f() {}",
            "if cfg!(test) { return Ok(()) }",
            "#[cfg(not(test))] check();",
            "#[cfg(all(unix, not(feature = \"hazmat\")))] check();",
            "#[cfg_attr(fuzzing, allow(x))] fn f() {}",
            "if std::env::var(\"OMEMO_TRUST_ALL\").is_ok() {}",
            "option_env!(\"X\")",
        ] {
            assert!(!see(bad).is_empty(), "{bad}");
        }
        assert!(in_source("crates/cli/src/x.rs", &tokens("env::var(\"HOME\")")).is_empty());
    }

    #[test]
    fn a29_features_and_lenient_dependencies_are_seen() {
        let good = "[features]\n# a comment = with\nhazmat = []\ndefault = []\nsqlcipher = []\n[dependencies]\nfuzzing = \"1\"\n";
        assert!(in_manifest("x", good).is_empty());
        assert_eq!(in_manifest("x", "[features]\nfuzzing = []\n").len(), 1);
        let lenient = "[dependencies]\ned25519-dalek = { version = \"3\", features = [\"legacy_compatibility\"] }\n";
        assert_eq!(in_manifest("x", lenient).len(), 1);
    }
}
