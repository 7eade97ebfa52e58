//! One call that changes something, from sending to its end.
//!
//! A call is sent again only when it certainly was not acted upon (design section 4, Calls):
//! * never arrived (refused, no route): the same job id;
//! * answer lost: the job is asked for; unknown to the server means never accepted, then the same
//!   job id again, so that a late first copy and the second can never both run;
//! * its job ended without effect (session expired): the next attempt's id, since the first is
//!   taken by the failed job.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Inner, Outcome, json, shown};
use crate::provider::{Answer, Dialect, Fault, FaultKind, Retry, attempt_id};
use crate::wire::Request;

pub(super) struct Sending<'a> {
    inner: &'a Inner,
    request: Option<&'a Request>,
    /// The caller's job id, of which the attempts' ids are made.
    first: Option<&'a str>,
    attempt: u32,
    until: Instant,
    /// When the current outage began.
    failing: Option<Instant>,
    /// The session that the current attempt was sent in.
    session: Option<u64>,
    /// The session that ended under this call, and how often one did.
    ended: Option<u64>,
    endings: u32,
    /// Whether the current attempt was sent before: then "internal error" may mean "duplicate".
    resent: bool,
}

/// What became of sending once.
enum Sent {
    Done(serde_json::Value),
    Job(String),
    /// No telling whether it arrived.
    Lost(Fault),
    Fault(Fault),
    Unreadable,
}

/// What became of a job.
enum Followed {
    Done(serde_json::Value),
    Fault(Fault),
    /// The server does not know it and has never said that it does.
    Absent,
    Unknown(String),
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        inner: &'a Inner,
        request: Option<&'a Request>,
        job: Option<&'a str>,
        deadline: Duration,
    ) -> Self {
        Self {
            inner,
            request,
            first: job,
            attempt: 0,
            until: Instant::now() + deadline,
            failing: None,
            session: None,
            ended: None,
            endings: 0,
            resent: false,
        }
    }

    /// Sends the call and follows it to its end.
    pub(super) async fn run(mut self, request: &Request) -> Outcome {
        loop {
            let job = self.job();
            // The HTTP client has its own time limit; this one bounds waiting for a permit and
            // for a session too.
            let sent = match timeout_at(self.until, self.send(request, job.as_deref())).await {
                Ok(sent) => sent,
                Err(_) => return unknown(job, "no answer before the deadline"),
            };
            let fault = match (sent, job) {
                (Sent::Done(reply), _) => return Outcome::Done(reply),
                (Sent::Unreadable, job) => return unknown(job, "its answer is not valid JSON"),
                (Sent::Fault(fault), _) => fault,
                (Sent::Lost(fault), None) => return unknown(None, &fault.text),
                (Sent::Job(job), _) => match self.follow(&job, true).await {
                    Followed::Done(reply) => return Outcome::Done(reply),
                    Followed::Unknown(why) => return unknown(Some(job), &why),
                    // `follow` was told that the server knows the job.
                    Followed::Absent => return unknown(Some(job), "the server lost its job"),
                    Followed::Fault(fault) => self.failed_job(fault),
                },
                (Sent::Lost(fault), Some(job)) => match self.follow(&job, false).await {
                    Followed::Done(reply) => return Outcome::Done(reply),
                    Followed::Unknown(why) => return unknown(Some(job), &why),
                    Followed::Fault(fault) => self.failed_job(fault),
                    Followed::Absent => {
                        self.resent = true;
                        // An answer that said "error" and no job behind it: nothing was done.
                        let retry =
                            if fault.retry == Retry::Never { Retry::Never } else { Retry::Safe };
                        Fault { retry, ..fault }
                    }
                },
            };
            match fault.retry {
                Retry::Never => return Outcome::Failed(self.about(fault)),
                Retry::IfRead => return unknown(self.job(), &self.about(fault).text),
                Retry::Safe => {
                    if !self.may_go_on(&fault).await {
                        return Outcome::Failed(self.about(fault));
                    }
                }
            }
        }
    }

    /// Follows a call of an earlier run, and the attempts that run made after it.
    pub(super) async fn resolve(mut self) -> Option<Outcome> {
        let mut last = None;
        while let Some(job) = self.job() {
            match self.follow(&job, false).await {
                Followed::Absent => break,
                Followed::Done(reply) => return Some(Outcome::Done(reply)),
                Followed::Unknown(why) => return Some(unknown(Some(job), &why)),
                Followed::Fault(fault) => {
                    let again = fault.retry == Retry::Safe;
                    last = Some(Outcome::Failed(self.about(fault)));
                    if !again {
                        break;
                    }
                    self.attempt += 1;
                }
            }
        }
        last
    }

    fn job(&self) -> Option<String> {
        self.first.map(|job| attempt_id(job, self.attempt))
    }

    fn failed_job(&mut self, fault: Fault) -> Fault {
        self.attempt += 1;
        self.resent = false;
        fault
    }

    async fn send(&mut self, request: &Request, job: Option<&str>) -> Sent {
        let (generation, session) = match self.inner.session(self.ended).await {
            Ok(current) => current,
            // Without a session nothing was sent.
            Err(f) if f.retry == Retry::IfRead => {
                return Sent::Fault(Fault { retry: Retry::Safe, ..f });
            }
            Err(fault) => return Sent::Fault(fault),
        };
        self.session = Some(generation);
        let (answer, reply) = match self.inner.submit(request, job, &session).await {
            Ok(answered) => answered,
            Err(error) if error.may_have_arrived() => return Sent::Lost(error.into()),
            Err(error) => return Sent::Fault(error.into()),
        };
        match (answer, job) {
            (Answer::Done, _) => json(&reply.body).map_or(Sent::Unreadable, Sent::Done),
            (Answer::Accepted { job }, _) => Sent::Job(job),
            (Answer::Duplicate, Some(job)) => Sent::Job(job.to_owned()),
            (Answer::Lost(fault), _) => Sent::Lost(fault),
            // 3.0 answers a duplicate with a plain 500 (reference 1.3).
            (Answer::Fault(fault), Some(_)) if self.resent && reply.status == 500 => {
                Sent::Lost(fault)
            }
            (Answer::Fault(fault), _) => Sent::Fault(fault),
            (Answer::Duplicate | Answer::Running | Answer::Unknown, _) => {
                Sent::Fault(Fault::new(FaultKind::Failed, "the server's answer makes no sense"))
            }
        }
    }

    /// Asks for a job until it ends.
    async fn follow(&mut self, job: &str, mut known: bool) -> Followed {
        let inner = self.inner;
        let poll = inner.dialect.poll(job);
        let kind = self.request.map(|request| kind(request, inner.dialect));
        let started = Instant::now();
        let mut running = Duration::ZERO;
        let mut failing: Option<Instant> = None;
        loop {
            let asked = timeout_at(self.until, inner.call(&poll, shown(&poll), &[]));
            let Ok(asked) = asked.await else { return late() };
            let answer = match asked {
                Ok(reply) => match inner.dialect.classify_poll(self.request, &reply) {
                    Answer::Done => {
                        if let Some(kind) = &kind {
                            inner.usual.learn(kind, (running, started.elapsed()));
                        }
                        let why = "the result of its job is not valid JSON".to_owned();
                        return json(&reply.body).map_or(Followed::Unknown(why), Followed::Done);
                    }
                    answer => answer,
                },
                Err(error) => Answer::Lost(error.into()),
            };
            let delay = match answer {
                Answer::Running | Answer::Accepted { .. } | Answer::Duplicate | Answer::Done => {
                    known = true;
                    failing = None;
                    let usual = kind.as_deref().and_then(|kind| inner.usual.of(kind));
                    running = started.elapsed();
                    inner.timing.poll.next_until(usual, running, job)
                }
                Answer::Unknown if known => {
                    let why = "the server no longer knows its job (it expired)";
                    return Followed::Unknown(why.to_owned());
                }
                Answer::Unknown => return Followed::Absent,
                Answer::Fault(fault) => {
                    return Followed::Fault(Fault { request_id: Some(job.to_owned()), ..fault });
                }
                Answer::Lost(fault) => {
                    let waited = failing.get_or_insert_with(Instant::now).elapsed();
                    if waited >= inner.timing.patience {
                        return Followed::Unknown(fault.text);
                    }
                    inner.delay(waited, &fault, job)
                }
            };
            if Instant::now() + delay >= self.until {
                return late();
            }
            sleep(delay).await;
        }
    }

    /// Waits before another attempt; `false` when there is to be none.
    async fn may_go_on(&mut self, fault: &Fault) -> bool {
        /// Sessions last two hours: where a third one ends at once, another does not help.
        const ENDINGS: u32 = 2;
        if fault.kind == FaultKind::Session {
            self.ended = self.session;
            self.endings += 1;
            return self.endings <= ENDINGS;
        }
        let waited = self.failing.get_or_insert_with(Instant::now).elapsed();
        let delay = self.inner.delay(waited, fault, self.first.unwrap_or_default());
        if waited >= self.inner.timing.patience || Instant::now() + delay >= self.until {
            return false;
        }
        sleep(delay).await;
        true
    }

    fn about(&self, fault: Fault) -> Fault {
        match self.request {
            Some(request) => self.inner.about(fault, request, self.job().as_deref()),
            None => fault.map_texts(|text| crate::wire::secrets::mask(text, &[])),
        }
    }
}

/// What calls that take about as long have in common: the method, the path without ids, and for an
/// action its name, which is the body's only member.
fn kind(request: &Request, dialect: &dyn Dialect) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    let steps: Vec<&str> = path.split('/').filter(|step| !dialect.is_id(step)).collect();
    let body = request.body.as_ref().and_then(serde_json::Value::as_object);
    let action = body.and_then(|members| members.keys().next());
    let action = action.map(String::as_str).unwrap_or_default();
    format!("{} {} {action}", request.method.as_str(), steps.join("/"))
}

fn late() -> Followed {
    Followed::Unknown("its job did not end before the deadline".to_owned())
}

fn unknown(job: Option<String>, why: &str) -> Outcome {
    Outcome::Unknown { job, why: why.to_owned() }
}
