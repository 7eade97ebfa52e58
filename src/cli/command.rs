//! Programs that print a secret: password managers.
//!
//! In: a program with its arguments. Out: what it prints, or why there is nothing. No shell stands
//! between, so that nothing in an argument means anything to one. What a program prints is never
//! quoted: it may be half a secret.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The longest secret, in bytes: more is some other file by mistake.
const LONGEST: u64 = 1 << 20;
/// How much of the messages of a program is kept, in bytes.
const KEPT: usize = 4096;

/// Runs a program in a directory: what it prints, without the newline at its end.
///
/// # Errors
/// Why it printed nothing that can be used, as the end of a sentence.
pub fn run(dir: &Path, command: &[String]) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("it names no program")?;
    let mut process = Command::new(located(dir, program));
    process.args(arguments).current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Only a person can answer what a program asks.
    let asks = std::io::stdin().is_terminal();
    process.stdin(if asks { Stdio::inherit() } else { Stdio::null() });
    let mut child = process.spawn().map_err(|error| format!("it cannot be run: {error}"))?;
    let errors = child.stderr.take();
    let shown = asks && std::io::stderr().is_terminal();
    let listener = std::thread::spawn(move || errors.map_or_else(Vec::new, |e| heard(e, shown)));
    let printed = printed(&mut child);
    if printed.is_err() {
        // Nobody reads on. That it has ended by itself is all that can go wrong.
        let _ = child.kill();
    }
    let ended = child.wait();
    let said = listener.join().unwrap_or_default();
    let printed = printed?;
    let said = without(&said, &printed);
    let status = ended.map_err(|error| format!("it cannot be waited for: {error}"))?;
    if !status.success() {
        return Err(format!("{status}{}", first_line(&said)));
    }
    let text = String::from_utf8(printed).map_err(|_| "it printed what is not valid UTF-8")?;
    let text = text.strip_suffix('\n').map_or(&*text, |t| t.strip_suffix('\r').unwrap_or(t));
    if text.is_empty() {
        return Err(format!("it printed nothing{}", first_line(&said)));
    }
    Ok(text.to_owned())
}

/// A program named by a path is meant as seen from the directory; a bare name is looked for where
/// programs are.
fn located(dir: &Path, program: &str) -> std::path::PathBuf {
    let path = Path::new(program);
    if !program.contains('/') || path.is_absolute() {
        return path.to_owned();
    }
    std::path::absolute(dir.join(path)).unwrap_or_else(|_| path.to_owned())
}

fn printed(child: &mut Child) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if let Some(out) = child.stdout.take() {
        let read = out.take(LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("its output cannot be read: {error}"))?;
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(format!("it printed more than {} MiB", LONGEST >> 20));
    }
    Ok(bytes)
}

/// The messages of a program; what asks a person for something has to be seen by them.
fn heard(mut errors: impl Read, shown: bool) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        let bytes = &buffer[..count];
        if shown {
            let mut err = std::io::stderr().lock();
            let _ = err.write_all(bytes).and_then(|()| err.flush());
        }
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..count.min(room)]);
    }
    kept
}

/// What a program said without what it printed: that may be the secret.
fn without(said: &[u8], printed: &[u8]) -> Vec<u8> {
    let (mut said, printed) =
        (String::from_utf8_lossy(said).into_owned(), String::from_utf8_lossy(printed));
    for line in printed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        said = said.replace(line, "(not shown)");
    }
    said.into_bytes()
}

/// The first line with something in it, to go on a sentence.
fn first_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.map_or_else(String::new, |line| {
        let plain: String = line.chars().filter(|c| !c.is_control()).collect();
        format!(": {plain}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<String, String> {
        run(Path::new("/"), &["sh".into(), "-c".into(), script.into()])
    }

    #[test]
    fn the_last_newline_is_no_part_of_a_secret() {
        assert_eq!(shell("printf 'a b\\n\\n'"), Ok("a b\n".to_owned()));
        assert_eq!(shell("printf 'a\\r\\n'"), Ok("a".to_owned()));
        assert_eq!(shell("printf a"), Ok("a".to_owned()));
        assert_eq!(shell("pwd"), Ok("/".to_owned()));
    }

    #[test]
    fn a_failure_is_told_without_what_was_printed() {
        let failed = shell("echo hunter2; echo; printf '\\n \\033[31mno entry\\n' >&2; exit 3");
        assert_eq!(failed, Err("exit status: 3: [31mno entry".to_owned()));
        let repeated = shell("echo hunter2; echo 'bad hunter2!' >&2; exit 3");
        assert_eq!(repeated, Err("exit status: 3: bad (not shown)!".to_owned()));
        assert_eq!(shell("true"), Err("it printed nothing".to_owned()));
        assert_eq!(shell("kill -9 $$").map_err(|e| e.contains("signal: 9")), Err(true));
        assert_eq!(shell("printf '\\377'"), Err("it printed what is not valid UTF-8".to_owned()));
        assert_eq!(shell("yes"), Err("it printed more than 1 MiB".to_owned()));
        let missing = run(Path::new("/"), &["no-such-program-here".into()]);
        assert!(missing.is_err_and(|why| why.starts_with("it cannot be run: No such file")));
    }

    #[test]
    fn a_long_message_does_not_stop_the_program() {
        let long = "head -c 300000 /dev/zero | tr '\\0' x >&2; echo done";
        assert_eq!(shell(long), Ok("done".to_owned()));
    }
}
