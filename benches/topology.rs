//! How long, how much memory, how many requests: the measures that rackform promises.
//!
//! ```text
//! cargo bench --bench topology                     10,000 hosts
//! cargo bench --bench topology -- 1k               seconds; the others: 10k, 100k
//! cargo bench --bench topology -- 10k plan         only measures whose name has "plan"
//! ```
//!
//! Runs the release binary as users do, against an emulator in a process of its own on loopback,
//! and prints what it took beside what is promised and beside Terraform 1.11.4 (same graph, no
//! provider calls, two cores). Asserts no time: machines differ. Fails when a run fails, when a
//! plan that should be empty is not, or when the emulator saw a request that no correct client
//! makes.

#![allow(clippy::print_stdout)] // a benchmark prints

use std::path::{Path, PathBuf};
use std::time::Duration;

#[path = "topology/generate.rs"]
mod generate;
#[path = "topology/language.rs"]
mod language;
#[path = "topology/process.rs"]
mod process;
#[path = "topology/report.rs"]
mod report;

use generate::Topology;
use language::Shape;
use process::{Cloud, Outcome, Taken};
use report::{Row, Table};

/// Jobs in flight: the default, and fewer, so that all jobs take much longer than the first ones,
/// which wait for each other.
const PARALLELISM: [u32; 2] = [64, 16];
/// Hosts of the measures of `apply`.
const APPLIED: usize = 1_000;
/// A plan that fails unless it is empty.
const EMPTY: [&str; 2] = ["plan", "--detailed-exitcode"];
/// Largest size that every measure is repeated for; the median counts.
const REPEATED: usize = 10_000;

fn main() -> Outcome<()> {
    if std::env::args().nth(1).as_deref() == Some(language::EVALUATE) {
        println!("{}", language::evaluate(Path::new("."))?);
        return Ok(());
    }
    let mut hosts = 10_000;
    let mut filter = None;
    // Cargo adds `--bench`.
    for arg in std::env::args().skip(1).filter(|arg| arg != "--bench") {
        match arg.as_str() {
            "1k" => hosts = 1_000,
            "10k" => hosts = 10_000,
            "100k" => hosts = 100_000,
            _ => filter = Some(arg),
        }
    }
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("topology");
    let mut bench = Bench { hosts, filter, root, table: Table::start() };
    bench.start_up()?;
    bench.validate()?;
    bench.language()?;
    bench.no_op()?;
    let [many, few] = PARALLELISM;
    bench.apply(APPLIED, Duration::ZERO, many)?;
    bench.apply(2 * APPLIED, Duration::ZERO, many)?;
    for jobs in [50, 1_000].map(Duration::from_millis) {
        bench.apply(APPLIED, jobs, many)?;
        bench.apply(APPLIED, jobs, few)?;
    }
    bench.table.end();
    Ok(())
}

struct Bench {
    hosts: usize,
    filter: Option<String>,
    root: PathBuf,
    table: Table,
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// An empty directory.
    fn directory(&self, name: &str) -> Outcome<PathBuf> {
        let dir = self.root.join(name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// The median of some runs, by wall time.
    fn median(&self, dir: &Path, args: &[&str]) -> Outcome<Taken> {
        self.median_of(|| process::run(dir, args))
    }

    fn median_of(&self, run: impl Fn() -> Outcome<Taken>) -> Outcome<Taken> {
        let runs = if self.hosts <= REPEATED { 5 } else { 3 };
        let mut all = Vec::new();
        for _ in 0..runs {
            all.push(run()?);
        }
        all.sort_by_key(|taken| taken.wall);
        Ok(all.swap_remove(runs / 2))
    }

    fn start_up(&mut self) -> Outcome<()> {
        if !self.wants("version") {
            return Ok(());
        }
        let dir = self.directory("version")?;
        let taken = self.median(&dir, &["--version"])?;
        let row = Row::new("--version", &taken).reach("< 10 ms").terraform("60 ms");
        self.table.row(row);
        Ok(())
    }

    fn validate(&mut self) -> Outcome<()> {
        let topology = Topology { hosts: self.hosts };
        let name = format!("validate, {} blocks", topology.objects());
        if !self.wants(&name) {
            return Ok(());
        }
        let dir = self.directory("validate")?;
        topology.write_configuration(&dir, "http://127.0.0.1:1")?;
        let taken = self.median(&dir, &["validate"])?;
        let mut row = Row::new(&name, &taken);
        if self.hosts == 10_000 {
            row = row.reach("< 0.2 s").terraform("2.8 s, 380 MiB");
        }
        self.table.row(row);
        Ok(())
    }

    /// What the language costs: references and look-ups are compared with a tenth of them.
    fn language(&mut self) -> Outcome<()> {
        let (hosts, tenth) = (self.hosts, self.hosts / 10);
        self.evaluate(Shape::Csv(hosts), None)?;
        let few = self.evaluate(Shape::References { hosts: tenth, clusters: tenth / 10 }, None)?;
        self.evaluate(Shape::References { hosts, clusters: tenth }, few)?;
        let zones = hosts / 2;
        let few = self.evaluate(Shape::Lookups { zones, keys: 10 }, None)?;
        self.evaluate(Shape::Lookups { zones, keys: 1_000 }, few)?;
        self.evaluate(Shape::Modules(tenth), None)?;
        Ok(())
    }

    /// Evaluates a configuration in a process of its own, and validates it as users do; gives the
    /// seconds of the former. `few` are those of a smaller configuration.
    fn evaluate(&mut self, shape: Shape, few: Option<f64>) -> Outcome<Option<f64>> {
        let name = shape.name();
        if !self.wants(&name) {
            return Ok(None);
        }
        let dir = self.directory("language")?;
        shape.write(&dir)?;
        let taken = self.median_of(|| process::run_own(&dir, &[language::EVALUATE]))?;
        let mut row = Row::new(&name, &taken).reach(&shape.reach());
        if let Some(few) = few {
            row = row.bound(few);
        }
        self.table.row(row);
        let validated = self.median(&dir, &["validate"])?;
        self.table.row(Row::new("… by validate", &validated));
        Ok(Some(taken.wall.as_secs_f64()))
    }

    /// Everything exists: taking it into the state after a cut-off apply, then plans.
    fn no_op(&mut self) -> Outcome<()> {
        let name = format!("no-op plan, {} hosts", self.hosts);
        let adopt = format!("adopt after a cut, {} hosts", self.hosts);
        if !self.wants(&name) && !self.wants(&adopt) {
            return Ok(());
        }
        let topology = Topology { hosts: self.hosts };
        let dir = self.directory("no-op")?;
        let seed = dir.join("seed.json");
        std::fs::write(&seed, topology.seed().to_string())?;
        let cloud = Cloud::start(&["--seed", seed.to_str().ok_or("a path that is no text")?])?;
        topology.write_configuration(&dir, &cloud.url)?;
        std::fs::write(dir.join("rackform.state.json"), topology.cut_off_state()?)?;
        let taken = process::run(&dir, &["apply", "--auto-approve"])?;
        let row = Row::new(&adopt, &taken).requests(cloud.requests()?);
        self.table.row(row);
        let taken = self.median(&dir, &EMPTY)?;
        // Requests and the emulator's time of one run.
        cloud.requests()?;
        let before = cloud.cpu();
        process::run(&dir, &EMPTY)?;
        let emulator = cloud.cpu() - before;
        let mut row = Row::new(&name, &taken).requests(cloud.requests()?).emulator(emulator);
        row = match self.hosts {
            10_000 => row.reach("< 1 s, < 150 MiB, ≤ 11 a type").terraform("19 s, 1.1 GiB"),
            100_000 => row.reach("< 8 s, < 1 GiB, ≤ 101 a type").terraform("30,000: 70 s, 3 GiB"),
            _ => row,
        };
        self.table.row(row);
        Ok(())
    }

    /// Nothing exists: a plan, then an apply whose jobs take so long.
    fn apply(&mut self, hosts: usize, jobs: Duration, parallelism: u32) -> Outcome<()> {
        let topology = Topology { hosts };
        let plan = format!("plan of {} creates", topology.objects());
        let mut name = format!("apply {} creates of {} ms", topology.objects(), jobs.as_millis());
        if !jobs.is_zero() {
            name += &format!(", {parallelism} at once");
        }
        if !self.wants(&name) {
            return Ok(());
        }
        let dir = self.directory("apply")?;
        let data = dir.join("cloud.log");
        let latency = format!("{}ms", jobs.as_millis());
        let data = data.to_str().ok_or("a path that is no text")?;
        let cloud = Cloud::start(&["--data", data, "--job-latency", &latency])?;
        topology.write_configuration(&dir, &cloud.url)?;
        if jobs.is_zero() {
            let taken = self.median(&dir, &["plan"])?;
            self.table.row(Row::new(&plan, &taken));
        }
        cloud.requests()?;
        let before = cloud.cpu();
        let parallel = parallelism.to_string();
        let args = ["apply", "--auto-approve", "--parallelism", &parallel];
        let taken = process::run(&dir, &args)?;
        let emulator = cloud.cpu() - before;
        let mut row = Row::new(&name, &taken).requests(cloud.requests()?).emulator(emulator);
        row = match (hosts, jobs.is_zero()) {
            (APPLIED, true) => row.reach("< 2 s").terraform("30 s"),
            (_, true) => row.reach("2 × the time of 1,000"),
            _ => {
                let (bound, best) = bounds(&topology, jobs, parallelism);
                let reach = format!("≤ 1.1 × {:.2} s, best {:.2} s", bound, best);
                row.reach(&reach).bound(bound)
            }
        };
        self.table.row(row);
        // What an apply leaves behind is converged, or its time means nothing.
        process::run(&dir, &EMPTY)?;
        Ok(())
    }
}

/// What an apply cannot go below, in seconds: the longest chain of jobs (zone, cluster or storage,
/// attachment, host), or all jobs over those in flight at once; and what the best order takes,
/// where each of these waits for the one before and a job cannot be split.
fn bounds(topology: &Topology, jobs: Duration, parallelism: u32) -> (f64, f64) {
    let waves = topology.waves();
    let all: usize = waves.iter().sum();
    let work = all as f64 / f64::from(parallelism);
    let rounds: usize = waves.iter().map(|jobs| jobs.div_ceil(parallelism as usize)).sum();
    let each = jobs.as_secs_f64();
    (each * work.max(waves.len() as f64), each * rounds as f64)
}
