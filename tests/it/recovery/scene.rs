//! One run to kill: a directory, an emulator in a process of its own, and the moment.
//!
//! The emulator says when a request is where it should be: a fault rule holds it there for ever,
//! and counts that it has struck. Journal records are counted in the file.

use std::io::Read;
use std::process::Child;
use std::time::{Duration, Instant};

use reqwest::Method;

use crate::common::cloud::Cloud;
use crate::common::estate::{PASSWORDS, password};
use crate::common::process::Rackform;
use crate::common::topology::Topology;

pub const PASSWORD: &str = "not-a-real-password";
pub const JOURNAL: &str = "rackform.state.journal";
/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// When to kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The N-th (from 0) request that fits these conditions of a fault rule has arrived and
    /// nothing was done.
    Arrived(&'static str, usize),
    /// It was acted upon (its job accepted), and the answer is not sent.
    Acted(&'static str, usize),
    /// The journal has this many whole lines.
    Recorded(usize),
}

/// Creates and attachments; logins are PUTs.
pub const POSTS: &str = "method=POST";
/// Deletes and detachments; logouts are told apart by their path.
pub const DELETES: &str = "method=DELETE";
pub const UPDATES: &str = "method=PUT,path=/*/actions";

pub struct Scene {
    pub cloud: Cloud,
    pub rackform: Rackform,
}

impl Scene {
    /// An empty cloud whose jobs take a little.
    pub fn new(topology: &Topology) -> Scene {
        Scene::with(topology, &[])
    }

    /// The same without a configuration.
    pub fn empty() -> Scene {
        Scene::of(&[])
    }

    /// The same with these files, among them perhaps what the cloud holds (`cloud.log`).
    pub fn with(topology: &Topology, files: &[(&str, &str)]) -> Scene {
        let scene = Scene::of(files);
        scene.declare(topology);
        scene
    }

    fn of(files: &[(&str, &str)]) -> Scene {
        let rackform = Rackform::new().env("SSH_PASSWORD", PASSWORD);
        let rackform =
            PASSWORDS.iter().fold(rackform, |rackform, name| rackform.env(name, &password(name)));
        files.iter().for_each(|(name, text)| rackform.write(name, text));
        let data = rackform.path("cloud.log");
        let data = data.to_str().expect("a path in UTF-8");
        let cloud = Cloud::child(&["--job-latency", "5ms", "--data", data]);
        Scene { cloud, rackform }
    }

    /// A scene in which this topology is applied already.
    pub fn applied(topology: &Topology) -> Scene {
        let scene = Scene::new(topology);
        scene.rackform.run(&["apply", "--auto-approve"]).expect(0);
        scene
    }

    pub fn declare(&self, topology: &Topology) {
        topology.declare(&self.rackform, &self.cloud);
    }

    /// Runs and kills at the moment. Returns whether that hit the apply in its middle: after its
    /// first record, before its last.
    pub fn kill_at(&self, args: &[&str], moment: &Moment) -> bool {
        self.cloud.faults(&[]);
        match moment {
            Moment::Arrived(which, n) => {
                self.cloud.faults(&[&format!("{which},after={n},hold-before")]);
            }
            Moment::Acted(which, n) => {
                self.cloud.faults(&[&format!("{which},after={n},hold")]);
            }
            Moment::Recorded(_) => {}
        }
        let mut child = self.rackform.spawn(args);
        drain(child.stdout.take());
        drain(child.stderr.take());
        let seen = match moment {
            Moment::Recorded(lines) => self.wait_for_lines(&mut child, *lines),
            _ => self.wait_for_strike(&mut child),
        };
        child.kill().expect("a child can be killed");
        child.wait().expect("it has ended");
        self.cloud.faults(&[]);
        seen && self.in_the_middle()
    }

    fn wait_for_strike(&self, child: &mut Child) -> bool {
        poll(child, || {
            let rules = self.cloud.control(Method::GET, "faults", None);
            rules[0]["struck"] != 0
        })
    }

    fn wait_for_lines(&self, child: &mut Child, lines: usize) -> bool {
        let (mut file, mut count) = (None, 0);
        poll(child, || {
            file = file.take().or_else(|| std::fs::File::open(self.rackform.path(JOURNAL)).ok());
            let mut fresh = Vec::new();
            if let Some(file) = &mut file {
                file.read_to_end(&mut fresh).expect("the journal can be read");
            }
            count += fresh.iter().filter(|byte| **byte == b'\n').count();
            count >= lines
        })
    }

    fn in_the_middle(&self) -> bool {
        let journal = std::fs::read_to_string(self.rackform.path(JOURNAL)).unwrap_or_default();
        journal.contains("\"run\"") && !journal.contains("\"record\":\"end\"")
    }

    /// The disk has lost everything but the state and the configuration.
    pub fn lose_the_journal(&self) {
        for file in std::fs::read_dir(self.rackform.dir()).expect("the directory") {
            let file = file.expect("a file");
            let name = file.file_name().into_string().expect("a name in UTF-8");
            let kept = ["rackform.state.json", "main.rack.toml", "cloud.log"];
            if !kept.contains(&name.as_str()) {
                std::fs::remove_file(file.path()).expect("it can be removed");
            }
        }
    }
}

/// Reads a pipe to its end, so that nobody waits for room in it.
fn drain(pipe: Option<impl Read + Send + 'static>) {
    if let Some(mut pipe) = pipe {
        // What it says is nobody's business: the process is about to be killed.
        std::thread::spawn(move || drop(std::io::copy(&mut pipe, &mut std::io::sink())));
    }
}

/// Waits for a condition; `false` when the process ends before.
fn poll(child: &mut Child, mut met: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if met() {
            return true;
        }
        if child.try_wait().expect("a child can be asked").is_some() {
            return met();
        }
        assert!(start.elapsed() < LIMIT, "the moment has not come");
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Does the work for every item, a few at a time.
pub fn at_once<T: Sync>(items: &[T], work: impl Fn(usize, &T) + Sync) {
    const WORKERS: usize = 4;
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(item) = items.get(n) else { return };
                    work(n, item);
                }
            });
        }
    });
}
