//! The programs on a page about C.
//!
//! A block of C whose first line is a comment with a file's name, like `/* hello.c */`, begins a program; the blocks after it,
//! up to the next such line, go on with it. So a page is read as a program that grows, and every block of it is compiled.

/// The programs of a page, by name. They say where on the page each line stands, for the compiler's messages.
pub(crate) fn programs(page: &str, name: &str) -> Result<Vec<(String, String)>, String> {
    let mut programs: Vec<(String, String)> = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, at)) = lines.next() {
        if line != "```c" {
            continue;
        }
        let block: Vec<&str> = lines
            .by_ref()
            .map(|(line, _)| line)
            .take_while(|line| *line != "```")
            .collect();
        if let Some(file) = block.first().and_then(|line| file_name(line)) {
            programs.push((file.to_owned(), String::new()));
        }
        let Some((_, text)) = programs.last_mut() else {
            return Err(format!(
                "{name}:{at}: no block before this one says which file it begins"
            ));
        };
        text.push_str(&format!(
            "#line {} \"{name}\"\n{}\n",
            at + 1,
            block.join("\n")
        ));
    }
    Ok(programs)
}

fn file_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("/* ")?.strip_suffix(" */")?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.strip_suffix(".c")
        .is_some_and(|stem| stem.chars().all(plain))
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "text\n```c\n/* a.c */\nint a;\n```\n```sh\nls\n```\n```c\nint b;\n```\n```c\n/* c.c */\nint c;\n```\n";

    #[test]
    fn blocks_go_on_with_the_program_before_them() {
        let programs = programs(PAGE, "p.md").unwrap();
        assert_eq!(
            programs,
            [
                (
                    "a.c".to_owned(),
                    "#line 3 \"p.md\"\n/* a.c */\nint a;\n#line 10 \"p.md\"\nint b;\n".to_owned()
                ),
                (
                    "c.c".to_owned(),
                    "#line 13 \"p.md\"\n/* c.c */\nint c;\n".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_block_without_a_program_is_a_mistake() {
        assert!(programs("```c\nint a;\n```\n", "p.md").is_err());
        assert!(programs("no code", "p.md").is_ok_and(|programs| programs.is_empty()));
    }
}
