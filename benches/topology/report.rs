//! The table that a benchmark prints, row by row as it is measured.

use std::time::Duration;

use crate::process::{Requests, Taken};

/// One measure.
pub struct Row {
    work: String,
    wall: Duration,
    cpu: Duration,
    memory: u64,
    requests: Option<Requests>,
    emulator: Option<Duration>,
    bound: Option<f64>,
    reach: String,
    terraform: &'static str,
}

impl Row {
    pub fn new(work: &str, taken: &Taken) -> Self {
        Self {
            work: work.to_owned(),
            wall: taken.wall,
            cpu: taken.cpu,
            memory: taken.memory,
            requests: None,
            emulator: None,
            bound: None,
            reach: String::new(),
            terraform: "",
        }
    }
    /// What is promised.
    pub fn reach(mut self, reach: &str) -> Self {
        reach.clone_into(&mut self.reach);
        self
    }
    /// What Terraform 1.11.4 took for the same graph.
    pub fn terraform(mut self, took: &'static str) -> Self {
        self.terraform = took;
        self
    }
    pub fn requests(mut self, requests: Requests) -> Self {
        self.requests = Some(requests);
        self
    }
    /// Processor time of the emulator meanwhile, which shares the machine.
    pub fn emulator(mut self, cpu: Duration) -> Self {
        self.emulator = Some(cpu);
        self
    }
    /// Seconds that it cannot go below.
    pub fn bound(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self
    }
}

/// Prints as it goes.
pub struct Table;

impl Table {
    /// Prints the conditions and the head.
    pub fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        println!("rackform {}, {profile} build, {cores} cores", env!("CARGO_PKG_VERSION"));
        println!("emulator: a process of its own on loopback, same cores\n");
        line(
            "work",
            [
                "wall",
                "cpu",
                "peak",
                "requests (most of one API)",
                "emulator cpu",
                "reach",
                "Terraform 1.11.4",
            ]
            .map(str::to_owned),
        );
        Self
    }

    pub fn row(&mut self, row: Row) {
        let requests = row.requests.map_or(String::new(), |requests| {
            let largest =
                requests.largest.map_or(String::new(), |(n, api)| format!(" ({n} {api})"));
            format!("{}{largest}", requests.total)
        });
        let times = row.bound.map_or(String::new(), |bound| {
            format!(" = {:.2} × bound", row.wall.as_secs_f64() / bound)
        });
        line(
            &row.work,
            [
                format!("{}{times}", seconds(row.wall)),
                seconds(row.cpu),
                memory(row.memory),
                requests,
                row.emulator.map_or(String::new(), seconds),
                row.reach,
                row.terraform.to_owned(),
            ],
        );
    }

    pub fn end(self) {
        println!();
    }
}

fn line(work: &str, [wall, cpu, peak, requests, emulator, reach, terraform]: [String; 7]) {
    println!(
        "{work:<40} | {wall:>22} | {cpu:>8} | {peak:>8} | {requests:<38} | {emulator:>12} | \
         {reach:<30} | {terraform}"
    );
}

fn seconds(time: Duration) -> String {
    if time < Duration::from_millis(100) {
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

fn memory(bytes: u64) -> String {
    if bytes == 0 { String::new() } else { format!("{} MiB", bytes >> 20) }
}
