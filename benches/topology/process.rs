//! Running the real binary, or the benchmark itself: what it took, what it said; and an emulator process for it to talk to.
//!
//! In: arguments. Out: wall time, processor time, peak memory, output. Memory and processor time
//! are read from `/proc` while the process runs (every millisecond, so that the last millisecond
//! may be missing); elsewhere than on Linux they are absent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const BINARY: &str = env!("CARGO_BIN_EXE_rackform");
/// Kernel ticks per second of `/proc/PID/stat`: 100 on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// What one run took.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub wall: Duration,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// `VmHWM`, in bytes.
    pub memory: u64,
}

/// Runs the binary to its end.
///
/// # Errors
/// It cannot be started, or ends with another exit code than 0; its output is in the message.
pub fn run(dir: &Path, args: &[&str]) -> Outcome<Taken> {
    run_program(Path::new(BINARY), dir, args)
}

/// Runs the benchmark itself, which prints the seconds that count: without its start and its end.
///
/// # Errors
/// As [`run`].
pub fn run_own(dir: &Path, args: &[&str]) -> Outcome<Taken> {
    let taken = run_program(&std::env::current_exe()?, dir, args)?;
    let seconds: f64 = std::fs::read_to_string(dir.join("stdout.txt"))?.trim().parse()?;
    Ok(Taken { wall: Duration::from_secs_f64(seconds), ..taken })
}

fn run_program(program: &Path, dir: &Path, args: &[&str]) -> Outcome<Taken> {
    let (out, err) = (dir.join("stdout.txt"), dir.join("stderr.txt"));
    let mut command = Command::new(program);
    command.args(args).current_dir(dir).env("ZSTACK_PASSWORD", "password");
    command.stdin(Stdio::null()).stderr(std::fs::File::create(&err)?);
    let started = Instant::now();
    let mut child = command.stdout(std::fs::File::create(&out)?).spawn()?;
    let (status, wall, (cpu, memory)) = watch(&mut child, started)?;
    if !status.success() {
        let stdout = std::fs::read_to_string(&out)?;
        let stderr = std::fs::read_to_string(&err)?;
        let name = program.display();
        return Err(format!("{name} {args:?}: {status}\n{}\n{stderr}", tail(&stdout)).into());
    }
    Ok(Taken { wall, cpu, memory })
}

/// The end of a long output.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

type Watched = (std::process::ExitStatus, Duration, (Duration, u64));

/// Waits for the end, while another thread looks at what the process uses.
fn watch(child: &mut Child, started: Instant) -> Outcome<Watched> {
    let over = AtomicBool::new(false);
    let pid = child.id();
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut last = (Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) {
                last = usage(pid).unwrap_or(last);
                std::thread::sleep(Duration::from_millis(1));
            }
            last
        });
        let status = child.wait();
        let wall = started.elapsed();
        over.store(true, Ordering::Relaxed);
        let used = sampler.join().map_err(|_| "the sampling thread panicked")?;
        Ok((status?, wall, used))
    })
}

/// Processor time and peak memory so far.
pub fn usage(pid: u32) -> Option<(Duration, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold spaces; utime and stime are the
    // 14th and 15th.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some((Duration::from_millis(ticks * 1000 / TICKS), kib << 10))
}

/// An emulator in a process of its own; ends when dropped.
pub struct Cloud {
    child: Child,
    pub url: String,
}

impl Cloud {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, or ends before it says where it listens.
    pub fn start(args: &[&str]) -> Outcome<Self> {
        let mut child = Command::new(BINARY)
            .args(["emulate", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut url = String::new();
        let stdout = child.stdout.take().ok_or("the emulator has no stdout")?;
        BufReader::new(stdout).read_line(&mut url)?;
        if url.is_empty() {
            return Err(format!("the emulator did not start: {}", child.wait()?).into());
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }

    /// Processor time so far.
    pub fn cpu(&self) -> Duration {
        usage(self.child.id()).map_or(Duration::ZERO, |(cpu, _)| cpu)
    }

    /// Requests per API since the last call.
    ///
    /// # Errors
    /// The control endpoint does not answer, or requests were made that no correct client makes.
    pub fn requests(&self) -> Outcome<Requests> {
        let violations = self.control("GET", "violations")?;
        if violations.as_array().is_none_or(|list| !list.is_empty()) {
            return Err(format!("violations: {violations}").into());
        }
        let log = self.control("GET", "requests")?;
        self.control("POST", "requests/reset")?;
        let total = log["total"].as_u64().ok_or("no total")?;
        let counts = log["counts"].as_object().ok_or("no counts")?;
        let largest = counts.iter().filter_map(|(api, n)| Some((n.as_u64()?, api.clone()))).max();
        Ok(Requests { total, largest })
    }

    fn control(&self, method: &str, path: &str) -> Outcome<Json> {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "{method} /emulator/{path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        )?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let body = reply.split_once("\r\n\r\n").ok_or("the emulator's reply has no body")?.1;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // Either has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many requests, and the API with the most.
#[derive(Clone, Debug)]
pub struct Requests {
    pub total: u64,
    pub largest: Option<(u64, String)>,
}
