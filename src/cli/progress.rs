//! Showing a running apply: a live view on a terminal, plain lines in a pipe, JSON for programs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::cli::output::{Output, line, now};
use crate::event::Event;
use crate::render::live::Live;
use crate::render::{self};

/// Running steps that the live view names.
const NAMED: usize = 8;
const REDRAW: Duration = Duration::from_millis(100);

/// Shows events until the run ends.
pub async fn show(mut events: mpsc::Receiver<Event>, output: &Output) {
    if output.json || !output.live {
        while let Some(event) = events.recv().await {
            one(&event, output);
        }
        return;
    }
    let mut view = View::new(output);
    let mut tick = tokio::time::interval(REDRAW);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => view.event(&event),
                None => break,
            },
            _ = tick.tick() => view.draw(),
        }
    }
    view.bar.finish_and_clear();
}

/// Shows one event as lines.
pub fn one(event: &Event, output: &Output) {
    if output.json {
        for text in render::json::event(&now(), event) {
            output.data(&line(text));
        }
    } else if let Event::Finished(summary) = event {
        output.data(&line(render::progress::summary(summary, &output.out)));
    } else if let Some(text) = render::progress::line(event, &output.err) {
        output.say(text.trim_end());
    }
}

struct View<'a> {
    output: &'a Output,
    live: Live,
    started: Instant,
    bar: ProgressBar,
}

impl<'a> View<'a> {
    fn new(output: &'a Output) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is a constant without placeholders that could be wrong.
        bar.set_style(
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Self { output, live: Live::default(), started: Instant::now(), bar }
    }

    fn event(&mut self, event: &Event) {
        self.live.observe(event, self.started.elapsed());
        match event {
            // The view names what runs; lines are for what is over.
            Event::StepStarted { .. } | Event::StepProgress { .. } => {}
            event => self.bar.suspend(|| one(event, self.output)),
        }
    }

    fn draw(&self) {
        let now = self.started.elapsed();
        let mut text = self.live.headline(now, &self.output.err);
        for row in self.live.lines(now, NAMED, &self.output.err) {
            text.push('\n');
            text.push_str(&row);
        }
        self.bar.set_message(text);
        self.bar.tick();
    }
}
