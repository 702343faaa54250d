//! What stands in Rust source: its words, the tests that it makes, and the items that it defines. No parser, but enough of one
//! that comments and texts mislead nobody.

use std::collections::BTreeSet;

/// A piece of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, keyword or number.
    Word(String),
    /// The text of a string literal.
    Text(String),
    /// Any other character.
    Mark(char),
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    fn is_mark(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }
}

/// The pieces of a file, without comments and white space.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        rest = if first.is_whitespace() {
            skip(rest, 1)
        } else if rest.starts_with("//") {
            rest.find('\n').map_or("", |end| skip(rest, end))
        } else if rest.starts_with("/*") {
            after_comment(rest)
        } else if let Some((text, after)) = string(rest) {
            found.push(Token::Text(text.to_owned()));
            after
        } else if first == '\'' {
            after_quote(rest)
        } else if first == '_' || first.is_alphanumeric() {
            let end = rest
                .find(|c: char| c != '_' && !c.is_alphanumeric())
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            found.push(Token::Word(word.to_owned()));
            after
        } else {
            found.push(Token::Mark(first));
            skip(rest, first.len_utf8())
        };
    }
    found
}

fn skip(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or("")
}

/// Comments may stand in each other.
fn after_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with("/*") {
            depth += 1;
            rest = skip(rest, 2);
        } else if rest.starts_with("*/") {
            depth -= 1;
            rest = skip(rest, 2);
            if depth == 0 {
                break;
            }
        } else {
            rest = skip(rest, rest.chars().next().map_or(1, char::len_utf8));
        }
    }
    rest
}

/// A string literal of any kind, and what follows it.
fn string(text: &str) -> Option<(&str, &str)> {
    let prefix = text.find(|c: char| !matches!(c, 'b' | 'c' | 'r'))?;
    let (prefix, rest) = text.split_at(prefix);
    if prefix.len() > 2 {
        return None;
    }
    if prefix.ends_with('r') {
        let hashes = rest.find(|c| c != '#')?;
        let inside = skip(rest, hashes).strip_prefix('"')?;
        let end = inside.find(&format!("\"{}", "#".repeat(hashes)))?;
        return Some((inside.get(..end)?, skip(inside, end + 1 + hashes)));
    }
    let inside = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((inside.get(..end)?, skip(inside, end + 1)))
}

/// A quote begins a character or a lifetime; neither matters.
fn after_quote(text: &str) -> &str {
    let inside = skip(text, 1);
    let mut characters = inside.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), Some(escaped)) => {
            let rest = skip(inside, 1 + escaped.len_utf8());
            rest.find('\'').map_or("", |end| skip(rest, end + 1))
        }
        (Some(character), Some('\'')) => skip(inside, character.len_utf8() + 1),
        _ => inside,
    }
}

/// The names of all tests that a file makes: functions with `#[test]`, what the macros of the scenarios and of the suite for stores
/// make tests of, and what test programs with a `main` of their own keep in tables. Ignored tests do not count, nor do experiments.
pub(super) fn tests(tokens: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    functions(tokens, &mut found);
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at..).unwrap_or_default();
        if token.is("over") || token.is("over_versions") {
            found.extend(listed(rest));
        } else if token.is("Scenario")
            && let [_, brace, name, _, Token::Text(text), ..] = rest
            && brace.is_mark('{')
            && name.is("name")
            && !text.starts_with("experiment_")
        {
            found.insert(text.clone());
        } else if let [at, each, dollar, _, end, names @ ..] = rest
            && at.is_mark('@')
            && each.is("each")
            && dollar.is_mark('$')
            && end.is_mark(';')
        {
            found.extend(words(names));
        } else if token.is("TESTS") {
            found.extend(tabled(rest));
        }
    }
    found
}

/// Functions behind attributes, of which one is `#[test]` or ends in `::test]`, and none is `#[ignore]`.
fn functions(tokens: &[Token], found: &mut BTreeSet<String>) {
    let mut attributes: Vec<Vec<&Token>> = Vec::new();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        if token.is_mark('#') {
            let (attribute, after) = bracketed(after);
            attributes.push(attribute);
            rest = after;
        } else if token.is("fn") {
            let is = |attribute: &Vec<&Token>, name: &str| {
                let path = attribute.iter().map_while(|token| match token {
                    Token::Word(word) => Some(word.as_str()),
                    Token::Mark(':') => Some(""),
                    _ => None,
                });
                path.last() == Some(name)
            };
            let has = |name: &str| attributes.iter().any(|attribute| is(attribute, name));
            if let (true, false, Some(name)) = (
                has("test"),
                has("ignore"),
                after.first().and_then(Token::word),
            ) {
                found.insert(name.to_owned());
            }
            attributes.clear();
        } else if matches!(token, Token::Mark('{' | '}' | ';')) {
            attributes.clear();
        }
    }
}

/// The pieces between two brackets, and what follows them; nothing when there is no bracket.
fn bracketed(tokens: &[Token]) -> (Vec<&Token>, &[Token]) {
    let mut depth = 0_usize;
    let mut inside = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('!') if depth == 0 => continue,
            Token::Mark('[') => depth += 1,
            Token::Mark(']') => depth = depth.saturating_sub(1),
            _ => inside.push(token),
        }
        if depth == 0 {
            return (inside, tokens.get(at + 1..).unwrap_or_default());
        }
    }
    (Vec::new(), tokens)
}

/// `over!(one, two)`
fn listed(tokens: &[Token]) -> Vec<String> {
    let [_, bang, bracket, names @ ..] = tokens else {
        return Vec::new();
    };
    if !bang.is_mark('!') || !bracket.is_mark('(') {
        return Vec::new();
    }
    words(names)
}

/// The words up to the end of a list.
fn words(tokens: &[Token]) -> Vec<String> {
    tokens
        .iter()
        .take_while(|token| !token.is_mark(')'))
        .filter_map(|token| token.word().map(str::to_owned))
        .collect()
}

/// `const TESTS: [Test; 2] = [("one", ..), ("two", ..)];`
fn tabled(tokens: &[Token]) -> Vec<String> {
    tokens
        .windows(4)
        .filter_map(|window| match window {
            [
                Token::Mark('[' | ','),
                Token::Mark('('),
                Token::Text(name),
                Token::Mark(','),
            ] => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// What a file defines, by name: `open`, and what belongs to a type as `Call::open` too.
pub(super) fn definitions(tokens: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let after = tokens.get(at + 1..).unwrap_or_default();
        let Some(keyword) = token.word() else {
            continue;
        };
        let name = after.iter().find_map(Token::word);
        let body = || body(after);
        match (keyword, name) {
            ("fn" | "const" | "static" | "type" | "mod" | "macro_rules", Some(name)) => {
                found.insert(name.to_owned());
            }
            ("struct" | "enum" | "trait" | "union", Some(name)) => {
                found.insert(name.to_owned());
                members(name, keyword, body(), &mut found);
            }
            ("impl", _) => {
                if let Some(name) = implemented(after) {
                    members(name, keyword, body(), &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

/// The first block in braces; none when the item ends before one.
fn body(tokens: &[Token]) -> &[Token] {
    let Some(start) = tokens
        .iter()
        .position(|token| matches!(token, Token::Mark('{' | ';')))
    else {
        return &[];
    };
    let inside = tokens.get(start..).unwrap_or_default();
    let mut depth = 0_usize;
    for (at, token) in inside.iter().enumerate() {
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inside.get(1..at).unwrap_or_default();
        }
    }
    &[]
}

/// Functions and constants of a block, and the fields or variants of a type.
fn members(owner: &str, keyword: &str, body: &[Token], found: &mut BTreeSet<String>) {
    let mut depth = 0_usize;
    let mut before: Option<&Token> = None;
    for (at, token) in body.iter().enumerate() {
        match token {
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark('}' | ')' | ']') => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 => {
                let next = body.get(at + 1);
                let follows = |mark| next.is_some_and(|next| next.is_mark(mark));
                let belongs = match keyword {
                    "struct" => follows(':') && !body.get(at + 2).is_some_and(|t| t.is_mark(':')),
                    "enum" => next.is_none() || [',', '(', '{', '='].into_iter().any(follows),
                    _ => before.is_some_and(|before| before.is("fn") || before.is("const")),
                };
                if belongs {
                    found.insert(format!("{owner}::{word}"));
                }
            }
            _ => {}
        }
        before = Some(token);
    }
}

/// The type that an `impl` is for.
fn implemented(tokens: &[Token]) -> Option<&str> {
    let mut depth = 0_i32;
    let mut name = None;
    let mut before: Option<&Token> = None;
    for token in tokens {
        match token {
            Token::Mark('<') => depth += 1,
            Token::Mark('>') if !before.is_some_and(|before| before.is_mark('-')) => depth -= 1,
            Token::Mark('{') => break,
            Token::Word(word) if depth == 0 && word == "where" => break,
            Token::Word(word) if depth == 0 => name = Some(word.as_str()),
            _ => {}
        }
        before = Some(token);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        tests(&tokens(source)).into_iter().collect()
    }

    #[test]
    fn finds_test_functions_and_passes_over_comments_and_texts() {
        let source = r##"
            //! #[test] fn in_a_comment() {}
            /* #[test] fn in /* another */ comment() {} */
            const TEXT: &str = "#[test] fn in_a_text() { \" }";
            const RAW: &str = r#"#[test] fn "in_a_raw_text"() {}"#;
            fn life<'a>(x: &'a str) -> char { '"' }
            #[test]
            /// A comment in between.
            #[should_panic(expected = "test")]
            fn one() { let c = '\''; }
            #[tokio::test(flavor = "x")] pub async fn two() {}
            proptest! { #[test] fn three(x: u8) {} }
            #[test] #[ignore = "only by hand"] fn ignored() {}
            #[cfg(test)] fn helping() {}
            fn plain() {}
            macro_rules! m { ($name:ident) => { #[test] fn $name() {} } }
        "##;
        assert_eq!(names(source), ["one", "three", "two"]);
    }

    #[test]
    fn finds_what_the_scenarios_make_tests_of() {
        let source =
            "macro_rules! over { ($n:ident) => {} } over!(one); over_versions!(two, three,);";
        assert_eq!(names(source), ["one", "three", "two"]);
        let suite = "macro_rules! suite { ($new:expr) => { $crate::suite!(@each $new; one, two,); };
            (@each $store:expr; $($check:ident,)*) => { $(#[test] fn $check() { super::$check($store) })* }; }";
        assert_eq!(names(suite), ["one", "two"]);
    }

    #[test]
    fn finds_the_names_in_tables() {
        let source = r#"
            const A: &[Scenario] = &[Scenario { name: "one", run: f }, Scenario { name: "experiment_x", run: f }];
            struct Scenario { name: &'static str }
            const TESTS: [Test; 2] = [("two", |x| { call("no", 1) }), ("three", |x| ())];
        "#;
        assert_eq!(names(source), ["one", "three", "two"]);
    }

    #[test]
    fn finds_definitions_with_their_owners() {
        let source = "
            pub struct Row<'a> { pub(crate) key: &'a [u8], other: std::fmt::Error }
            enum Refusal { Mac, Length(usize), Named { at: u8 }, }
            impl<T: Transaction> Call<'_, T> { fn open(&self) { fn inner() {} } const MOST: u8 = 1; }
            impl<F: Fn() -> u8> fmt::Display for Thing<F> where F: Copy { fn fmt(&self) {} }
            trait Framing: Sync { fn parse(&self) -> u8; }
            struct Pair(u8); static TABLE: u8 = 1; macro_rules! reads { () => {} }
        ";
        let found = definitions(&tokens(source));
        for name in [
            "Row",
            "Row::key",
            "Row::other",
            "Refusal::Mac",
            "Refusal::Length",
            "Refusal::Named",
            "Call::open",
            "open",
            "inner",
            "Call::MOST",
            "Thing::fmt",
            "Framing::parse",
            "Pair",
            "TABLE",
            "reads",
        ] {
            assert!(found.contains(name), "{name} in {found:?}");
        }
        for name in [
            "Call::inner",
            "Row::std",
            "Refusal::at",
            "Transaction::open",
            "Display::fmt",
            "Thing::open",
        ] {
            assert!(!found.contains(name), "{name}");
        }
    }
}
