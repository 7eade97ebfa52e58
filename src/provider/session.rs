//! One session for all calls: opened once, renewed once when it ends.
//!
//! In: a way to log in. Out: the current session. All calls that find the session ended wait for
//! one new login; a refused login is not tried again for each of them (accounts get locked).

use tokio::sync::Mutex;

use super::{Fault, FaultKind, Session};

/// Holds the current session.
#[derive(Default)]
pub(super) struct Keeper(Mutex<State>);

#[derive(Default)]
struct State {
    /// Rises with every login, so that a call can say which session it found ended.
    generation: u64,
    session: Option<Session>,
    refused: Option<Fault>,
}

impl Keeper {
    /// The current session and its generation; logs in when there is none, or when it is still
    /// the one that the caller found ended.
    pub(super) async fn get<F>(
        &self,
        ended: Option<u64>,
        login: impl FnOnce() -> F,
    ) -> Result<(u64, Session), Fault>
    where
        F: Future<Output = Result<Session, Fault>>,
    {
        let mut state = self.0.lock().await;
        if ended == Some(state.generation) {
            state.session = None;
        }
        if let Some(session) = &state.session {
            return Ok((state.generation, session.clone()));
        }
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        match login().await {
            Ok(session) => {
                state.generation += 1;
                state.session = Some(session.clone());
                Ok((state.generation, session))
            }
            Err(fault) => {
                if fault.kind == FaultKind::Denied {
                    state.refused = Some(fault.clone());
                }
                Err(fault)
            }
        }
    }

    /// Takes the session out, to end it.
    pub(super) async fn take(&self) -> Option<Session> {
        self.0.lock().await.session.take()
    }
}
